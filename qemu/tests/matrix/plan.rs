//! The boots: one a panel, each with a touch chip and two cameras, and one for
//! each answer that panels have in common.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::data::{self, Camera, Data, Panel, Touch};
use crate::{alike, glass, parts, rows};

/// One of how many panels of a controller is booted when not all are.
const FEWER: usize = 10;

/// How the bootloader is told which panel it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Not at all: how many fit, and in which order?
    Nothing,
    /// By the name of its driver, packed into lk.bin.
    Name(String),
    /// By the choice that a person made on an earlier boot: several rows have
    /// the name.
    Chosen(String),
}

/// A touch chip or a camera at an address, with its place in the turns.
pub struct Part<T: 'static> {
    pub chip: &'static T,
    pub turn: usize,
}

/// A boot.
pub struct Boot {
    /// `panel/<id>` or `group/<id of its first panel>`.
    pub name: String,
    pub panel: &'static Panel,
    pub told: Told,
    pub touch: Option<Part<Touch>>,
    pub cameras: [Option<Part<Camera>>; 2],
    /// One of the tenth that is always booted.
    pub chosen: bool,
}

impl Boot {
    /// The same with another glass.
    pub fn with_panel(&self, panel: Panel) -> Boot {
        let part = |camera: &Option<Part<Camera>>| {
            camera.as_ref().map(|part| Part {
                chip: part.chip,
                turn: part.turn,
            })
        };
        Boot {
            name: self.name.clone(),
            // As long as the test.
            panel: Box::leak(Box::new(panel)),
            told: self.told.clone(),
            touch: self.touch.as_ref().map(|part| Part {
                chip: part.chip,
                turn: part.turn,
            }),
            cameras: [part(&self.cameras[0]), part(&self.cameras[1])],
            chosen: self.chosen,
        }
    }

    /// The board file without its name.
    pub fn board(&self) -> String {
        let mut out = format!("[dram]\nranks_mib = [512]\n\n{}", glass::board(self.panel));
        if let Some(touch) = &self.touch {
            out.push('\n');
            out.push_str(&parts::touch(touch.chip, touch.turn).toml);
        }
        for (socket, camera) in self.cameras.iter().enumerate() {
            if let Some(camera) = camera {
                out.push('\n');
                out.push_str(&parts::camera(camera.chip, socket, camera.turn).toml);
            }
        }
        out
    }
}

/// All boots, in the order of the panels, then of the groups.
pub fn boots() -> &'static [Boot] {
    static BOOTS: LazyLock<Vec<Boot>> = LazyLock::new(|| make(data::all()));
    &BOOTS
}

fn make(data: &'static Data) -> Vec<Boot> {
    // What has no row is in `known.toml` by itself, and spoils no panel's boot.
    let touch: Vec<&'static Touch> = data
        .touch
        .iter()
        .filter(|chip| !rows::TOUCH.of(&chip.id).is_empty())
        .collect();
    let cameras: Vec<&'static Camera> = data
        .cameras
        .iter()
        .filter(|chip| !rows::CAMERAS.of(&chip.id).is_empty())
        .collect();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for name in data.panels.iter().flat_map(|panel| &panel.names) {
        *names.entry(name).or_default() += 1;
    }
    let mut of_controller: BTreeMap<&str, usize> = BTreeMap::new();
    let mut boots = Vec::new();
    for (index, panel) in data.panels.iter().enumerate() {
        let before = of_controller.entry(&panel.controller).or_default();
        let chosen = (*before).is_multiple_of(FEWER);
        *before += 1;
        let own = panel.names.iter().find(|name| names[name.as_str()] == 1);
        let told = match (own, rows::PANELS.of(&panel.id)) {
            (Some(name), _) => Told::Name(name.clone()),
            (None, [row, ..]) => Told::Chosen(row.clone()),
            // There is no row: any name will do to show that.
            (None, []) => Told::Name(panel.names[0].clone()),
        };
        let main = part(&cameras, index);
        let sub = beside(&cameras, main.chip, index);
        boots.push(Boot {
            name: format!("panel/{}", panel.id),
            panel,
            told,
            touch: Some(part(&touch, index)),
            cameras: [Some(main), Some(sub)],
            chosen,
        });
    }
    for (index, group) in alike::groups(&data.panels).values().enumerate() {
        boots.push(Boot {
            name: format!("group/{}", group[0].id),
            panel: group[0],
            told: Told::Nothing,
            touch: None,
            cameras: [None, None],
            chosen: index % FEWER == 0,
        });
    }
    boots
}

fn part<T>(all: &[&'static T], index: usize) -> Part<T> {
    Part {
        chip: all[index % all.len()],
        turn: index / all.len(),
    }
}

/// A camera that can be on the same core supply.
fn beside(all: &[&'static Camera], main: &Camera, index: usize) -> Part<Camera> {
    let from = index * 7 + 3;
    let mut others = from..from + all.len();
    let place = others.find(|&place| parts::share_a_core(main, all[place % all.len()]));
    let mut part = part(all, place.unwrap_or(from));
    part.turn = index / all.len();
    part
}

#[test]
fn every_row_of_the_facts_has_a_boot() {
    let data = data::all();
    let boots = boots();
    let panels = boots
        .iter()
        .filter(|boot| boot.told != Told::Nothing)
        .count();
    assert_eq!(panels, data.panels.len());
    let touch: std::collections::BTreeSet<_> = boots
        .iter()
        .filter_map(|boot| Some(&boot.touch.as_ref()?.chip.id))
        .collect();
    let explained = crate::known::Explained::read();
    for chip in &data.touch {
        let listed = explained
            .boots()
            .any(|name| name == format!("touch/{}", chip.id));
        assert!(
            touch.contains(&chip.id) != listed,
            "touch chip {}: a boot or a reason",
            chip.id
        );
    }
    let cameras: std::collections::BTreeSet<_> = boots
        .iter()
        .filter_map(|boot| Some(&boot.cameras[0].as_ref()?.chip.id))
        .collect();
    for camera in &data.cameras {
        let listed = explained
            .boots()
            .any(|name| name == format!("camera/{}", camera.id));
        assert!(
            cameras.contains(&camera.id) != listed,
            "camera {}: a boot or a reason",
            camera.id
        );
    }
    let controllers = |boots: &mut dyn Iterator<Item = &Boot>| {
        boots
            .map(|boot| boot.panel.controller.as_str())
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(
        controllers(&mut boots.iter()),
        controllers(&mut boots.iter().filter(|boot| boot.chosen)),
        "the tenth has every controller"
    );
    for boot in boots {
        let board = format!("name = 'test'\n{}", boot.board());
        if let Err(why) = mt6572_qemu::board::Board::parse(&board) {
            panic!("{}: {why}\n{board}", boot.name);
        }
    }
    println!("{} boots", boots.len());
}

/// Each row of the table that was made of the facts is booted, or a reason
/// says why not.
#[test]
fn every_row_of_the_table_has_a_boot_or_a_reason() {
    let data = data::all();
    let known = |kind: &str, ids: Vec<&str>, rows: &'static rows::Rows| {
        for id in rows.sources() {
            let left_out = data
                .left_out
                .iter()
                .any(|row| row.kind == kind && row.id == id);
            assert!(
                left_out || ids.contains(&id),
                "{kind} {id} has no boot and no reason"
            );
        }
    };
    known(
        "panel",
        data.panels.iter().map(|panel| panel.id.as_str()).collect(),
        &rows::PANELS,
    );
    known(
        "touch",
        data.touch.iter().map(|chip| chip.id.as_str()).collect(),
        &rows::TOUCH,
    );
    known(
        "camera",
        data.cameras
            .iter()
            .map(|camera| camera.id.as_str())
            .collect(),
        &rows::CAMERAS,
    );
    for row in &data.left_out {
        assert!(!row.reason.is_empty(), "{} {}", row.kind, row.id);
    }
}
