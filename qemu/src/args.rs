//! The plugin's arguments: `-plugin file=libmt6572_qemu.so,board=FILE,...`.
//!
//! They are a contract with the harness and with people's scripts, and are
//! listed in the emulator's documentation.

use std::path::PathBuf;

/// Resets after which the emulation is given up.
const DEFAULT_MAX_RESETS: u32 = 8;

/// All arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Args {
    /// `board=FILE`: the phone. Required.
    pub board: PathBuf,
    /// `emmc=FILE`: the user area; boot partitions are in `FILE.boot1` and
    /// `FILE.boot2`. Absent, or naming no file: no eMMC is fitted.
    pub emmc: Option<PathBuf>,
    /// `lk=FILE`: loaded instead of the content of UBOOT.
    pub lk: Option<PathBuf>,
    /// `events=FILE`: where the list of events goes.
    pub events: Option<PathBuf>,
    /// `strict=on`: guest errors are also shown on standard error as they
    /// happen. They are listed and counted in any case. Moreover the first
    /// touch of a register that no model knows is one of them, instead of a
    /// `log` line "unmodelled": for images of ours.
    pub strict: bool,
    /// `dump=ADDR:LEN:FILE`, repeatable: memory to save at the end, and as
    /// `FILE.1`, `FILE.2`, ... at each reset.
    pub dumps: Vec<Dump>,
    /// `max-resets=N`: the emulation ends at the next one.
    pub max_resets: u32,
    /// `screen=DIR`: pictures of the screen go there, one at each milestone and
    /// whenever a file `DIR/snap` appears; the newest is `DIR/screen.png`.
    pub screen: Option<PathBuf>,
    /// `live=on`: `DIR/screen.png` is also renewed 5 times a second.
    pub live: bool,
    /// `pc=all`: guest errors of all code get their PC, not just those of the
    /// bootloader; slower.
    pub pc_of_all: bool,
}

/// A range of guest memory and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// Physical address.
    pub addr: u32,
    /// Bytes.
    pub len: u32,
    /// File on the host.
    pub file: PathBuf,
}

impl Args {
    /// Reads `key=value` strings.
    ///
    /// # Errors
    /// A sentence that names the argument.
    pub fn parse(arguments: &[String]) -> Result<Args, String> {
        let mut args = Args {
            board: PathBuf::new(),
            emmc: None,
            lk: None,
            events: None,
            strict: false,
            dumps: Vec::new(),
            max_resets: DEFAULT_MAX_RESETS,
            screen: None,
            live: false,
            pc_of_all: false,
        };
        for argument in arguments {
            let (key, value) = argument
                .split_once('=')
                .ok_or_else(|| format!("{argument}: not key=value"))?;
            let bad = |wanted: &str| format!("{argument}: {wanted}");
            match key {
                "board" => args.board = value.into(),
                "emmc" => args.emmc = Some(value.into()),
                "lk" => args.lk = Some(value.into()),
                "events" => args.events = Some(value.into()),
                "strict" => args.strict = switch(value).ok_or_else(|| bad("on or off"))?,
                "screen" => args.screen = Some(value.into()),
                "live" => args.live = switch(value).ok_or_else(|| bad("on or off"))?,
                "dump" => args
                    .dumps
                    .push(Dump::parse(value).ok_or_else(|| bad("ADDR:LEN:FILE"))?),
                "max-resets" => args.max_resets = value.parse().map_err(|_| bad("a number"))?,
                "pc" => {
                    args.pc_of_all = match value {
                        "all" => true,
                        "lk" => false,
                        _ => return Err(bad("lk or all")),
                    }
                }
                _ => return Err(bad("no such argument")),
            }
        }
        if args.board.as_os_str().is_empty() {
            return Err("board=FILE is missing; qemu/boards has some".into());
        }
        Ok(args)
    }
}

impl Dump {
    fn parse(text: &str) -> Option<Dump> {
        let mut parts = text.splitn(3, ':');
        let (addr, len) = (number(parts.next()?)?, number(parts.next()?)?);
        let file = parts.next().filter(|file| !file.is_empty())?.into();
        Some(Dump { addr, len, file })
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Args, String> {
        Args::parse(&text.split(',').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_read() {
        let args = parse("board=b.toml,lk=lk.bin,strict=on,dump=0x80000000:4096:a,dump=0x1000000:16:b,pc=all,max-resets=2,screen=s,live=on").unwrap();
        assert_eq!(args.dumps.len(), 2);
        assert_eq!(
            args.dumps[0],
            Dump {
                addr: 0x8000_0000,
                len: 4096,
                file: "a".into()
            }
        );
        assert!(args.strict && args.pc_of_all && args.max_resets == 2 && args.emmc.is_none());
        assert!(args.live && args.screen == Some("s".into()));
    }

    #[test]
    fn mistakes_name_the_argument() {
        for (text, named) in [
            ("lk=x", "board=FILE"),
            ("board=b,strict=maybe", "strict=maybe"),
            ("board=b,dump=1:2", "dump=1:2"),
            ("board=b,colour=red", "colour=red"),
            ("board=b,max-resets=x", "max-resets=x"),
        ] {
            assert!(parse(text).unwrap_err().contains(named), "{text}");
        }
    }
}
