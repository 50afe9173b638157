//! The folder into which `screen=` puts pictures of the screen.

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::machine::Shot;
use crate::panel::Glass;
use crate::report::Event;

/// The newest picture.
const LATEST: &str = "screen.png";
/// Somebody makes this file to get a picture; what is in it names the picture.
const TRIGGER: &str = "snap";
/// A name given from outside is not longer than this.
const NAME_LEN: usize = 40;

/// Pictures of one run: `screen-NN-<milestone>.png` and `screen.png`.
pub struct Folder {
    path: PathBuf,
    next: u32,
}

impl Folder {
    /// Makes the folder, and removes what an earlier run left of ours.
    ///
    /// # Errors
    /// A sentence for standard error.
    pub fn new(path: &Path) -> Result<Folder, String> {
        let failed = |error| format!("screen={}: {error}", path.display());
        fs::create_dir_all(path).map_err(failed)?;
        for entry in fs::read_dir(path).map_err(failed)?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("screen") && name.ends_with(".png") {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(Folder {
            path: path.to_owned(),
            next: 0,
        })
    }

    /// The name of the picture that somebody asks for by making the trigger
    /// file; the file goes away.
    pub fn asked(&self) -> Option<String> {
        let trigger = self.path.join(TRIGGER);
        let name = fs::read_to_string(&trigger).ok()?;
        fs::remove_file(&trigger).ok()?;
        let name = name.trim();
        Some(if name.is_empty() { TRIGGER } else { name }.to_owned())
    }

    /// Writes the picture; the line for the list of events, unless it is for
    /// who watches live.
    ///
    /// # Errors
    /// A sentence for standard error.
    pub fn save(&mut self, shot: Shot) -> Result<Option<Event>, String> {
        let png = encode(&shot.glass)?;
        let event = match shot.milestone {
            None => None,
            Some(milestone) => {
                let file = format!("screen-{:02}-{}.png", self.next, plain(&milestone));
                self.next += 1;
                self.write(&file, &png)?;
                Some(Event::Screen {
                    milestone,
                    state: shot.glass.state,
                    reason: shot.glass.reason,
                    backlight: shot.glass.backlight,
                    file,
                    t_ns: shot.t_ns,
                })
            }
        };
        self.write(LATEST, &png)?;
        Ok(event)
    }

    /// Who looks at the file sees the old picture or the new one, never half.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let (path, part) = (self.path.join(name), self.path.join(".part"));
        fs::write(&part, bytes)
            .and_then(|()| fs::rename(&part, &path))
            .map_err(|error| format!("screen: {}: {error}", path.display()))
    }
}

/// A name that is safe in a file name.
fn plain(name: &str) -> String {
    let keep = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    name.chars().take(NAME_LEN).map(keep).collect()
}

/// The picture as PNG; a phone without a panel gives one dark pixel.
fn encode(glass: &Glass) -> Result<Vec<u8>, String> {
    let (width, height, rgb): (_, _, &[u8]) = if glass.rgb.is_empty() {
        (1, 1, &[0; 3])
    } else {
        (glass.width, glass.height, &glass.rgb)
    };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(BufWriter::new(&mut bytes), width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(rgb)?;
            writer.finish()
        })
        .map_err(|error| format!("screen: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn glass() -> Glass {
        Glass {
            state: "picture",
            acceptable: true,
            reason: "a picture".into(),
            backlight: 1000,
            width: 2,
            height: 1,
            rgb: vec![255, 0, 0, 0, 0, 255],
        }
    }

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("mt6572-glass-{name}-{}", std::process::id()))
    }

    #[test]
    fn pictures_are_numbered_and_the_newest_has_a_name_of_its_own() {
        let path = scratch("numbered");
        let mut folder = Folder::new(&path).unwrap();
        let shot = |milestone: Option<&str>| Shot {
            milestone: milestone.map(str::to_owned),
            glass: glass(),
            t_ns: 7,
        };
        let event = folder.save(shot(Some("first-frame"))).unwrap().unwrap();
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"screen","milestone":"first-frame","state":"picture","reason":"a picture","backlight":1000,"file":"screen-00-first-frame.png","t_ns":7}"#
        );
        assert_eq!(folder.save(shot(None)).unwrap(), None);
        folder.save(shot(Some("../up"))).unwrap();
        let mut names: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "screen-00-first-frame.png",
                "screen-01----up.png",
                "screen.png"
            ]
        );
        // The next run begins anew.
        Folder::new(&path).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn pixels_survive_the_file() {
        let bytes = encode(&glass()).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut rgb = [0; 6];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.width, info.height), (2, 1));
        assert_eq!(rgb, [255, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn a_picture_is_asked_for_by_a_file() {
        let path = scratch("asked");
        let folder = Folder::new(&path).unwrap();
        assert_eq!(folder.asked(), None);
        fs::write(path.join(TRIGGER), "logo\n").unwrap();
        assert_eq!(folder.asked().as_deref(), Some("logo"));
        assert_eq!(folder.asked(), None);
        fs::write(path.join(TRIGGER), "").unwrap();
        assert_eq!(folder.asked().as_deref(), Some(TRIGGER));
        fs::remove_dir_all(&path).unwrap();
    }
}
