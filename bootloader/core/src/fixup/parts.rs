//! Panel, touch chip and cameras: the tree names what is fitted.
//!
//! A tree that was written for one build of a phone names the parts of that
//! build. For each part that was identified, the node that names it is
//! enabled; failing that, the node at its address gets its `compatible`;
//! failing that, a node is added, with the controller if the tree has none.
//! Bus address, interrupt, reset and supplies follow the wiring profile as far
//! as the tree has the nodes that they refer to; levels and triggers that the
//! tree states are kept, and so are all other properties. Other nodes of the
//! kind are disabled. A part that nobody looked for is left as it is.
//!
//! | kind | stands below | is known by |
//! |---|---|---|
//! | panel | the DSI host | being there |
//! | touch | an I2C controller | `touch` in its name, or a `compatible` of the table |
//! | camera | an I2C controller | `camera` in its name, or a `compatible` of the table |
//!
//! I2C controllers are switched on with the parts on them. The DSI host's
//! state is the tree's: a kernel that takes it over must also know its clocks,
//! and until then the picture is on without it.
//!
//! Source: facts/i2c-touch-camera.md 1.1, 2.2, 4.2; facts/display.md 5.3.

use heapless::Vec;
use unilk_board_db::{
    CameraRow, CameraWiring, PanelReset, PanelRow, PanelWiring, Rail, TouchRow, TouchWiring,
};

use super::landmarks::{DSI_BASE, I2C_BASES, Landmarks};
use super::reserved::node_name;
use super::value::{Properties, Value};
use super::{Fitted, Fixup, FixupError, display::Display};
use crate::fdt::{FdtError, Fragment, Node};

/// Most nodes that are disabled, in the order of the tree.
const MAX_NODES: usize = 24;

/// Flags of a GPIO specifier.
const ACTIVE_HIGH: u32 = 0;
const ACTIVE_LOW: u32 = 1;
/// Interrupt flags: falling edge, what nearly all touch chips do.
const EDGE_FALLING: u32 = 2;

/// The panel that is lit.
#[derive(Clone, Copy, Debug)]
pub struct PanelPart<'a> {
    /// Its row.
    pub row: &'a PanelRow,
    /// How it is connected.
    pub wiring: &'a PanelWiring,
}

/// A touch chip that answered.
#[derive(Clone, Copy, Debug)]
pub struct TouchPart<'a> {
    /// Its row.
    pub row: &'a TouchRow,
    /// 7-bit address at which it answered.
    pub address: u8,
    /// How it is connected.
    pub wiring: &'a TouchWiring,
}

/// A camera that answered.
#[derive(Clone, Copy, Debug)]
pub struct CameraPart<'a> {
    /// Its row.
    pub row: &'a CameraRow,
    /// 7-bit address at which it answered.
    pub address: u8,
    /// I2C controller: 0 or 1.
    pub controller: u8,
    /// How it is connected.
    pub wiring: &'a CameraWiring,
}

/// By what a node is known as a touch chip or camera.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// All touch chips.
    pub touch: &'a [TouchRow],
    /// All cameras.
    pub cameras: &'a [CameraRow],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Panel,
    Touch,
    Camera,
}

/// A controller, as an index: I2C0, I2C1, DSI.
const HOSTS: usize = 3;
const DSI: usize = 2;

/// A part that the tree has to name.
struct Wanted<'a> {
    kind: Kind,
    host: usize,
    compatible: Option<&'a str>,
    id: &'a str,
    address: u8,
    supplies: Vec<(Rail, &'static str), 4>,
    reset: Option<(&'static str, u8)>,
    /// Property, pin, flags unless the tree states some.
    enable: Option<(&'static str, u8, u32)>,
    eint: Option<u8>,
    /// Pixels of the panel that a touch chip lies on.
    size: Option<(u32, u32)>,
}

impl<'a> Wanted<'a> {
    /// What is said where the table knows no `compatible` of mainline's: no
    /// driver takes it, people can read it.
    fn compatible(&self) -> Value<'a> {
        match self.compatible {
            Some(compatible) => Value::Text(compatible),
            None => Value::Joined("unilk,", self.id),
        }
    }

    fn is_named_by(&self, node: &Node<'_>) -> bool {
        match self.compatible {
            Some(compatible) => node.is_compatible(compatible.as_bytes()),
            None => node.property(b"compatible").is_some_and(|compatible| {
                compatible
                    .strings()
                    .any(|name| name.strip_prefix(b"unilk,") == Some(self.id.as_bytes()))
            }),
        }
    }

    const fn node_name(&self) -> &'static str {
        match self.kind {
            Kind::Panel => "panel",
            Kind::Touch => "touchscreen",
            Kind::Camera => "camera",
        }
    }

    /// Goodix' binding describes the reset line as it is driven, all others
    /// as what it means.
    fn reset_flags(&self) -> u32 {
        let as_driven = self
            .compatible
            .is_some_and(|compatible| compatible.starts_with("goodix,"));
        if as_driven { ACTIVE_HIGH } else { ACTIVE_LOW }
    }
}

/// Supply properties in mainline's bindings, by the start of `compatible`:
/// the analog one, then the one of the interface.
const SUPPLIES: [(&str, [&str; 2]); 7] = [
    ("goodix,", ["AVDD28-supply", "VDDIO-supply"]),
    ("edt,", ["vcc-supply", "iovcc-supply"]),
    ("focaltech,", ["vcc-supply", "iovcc-supply"]),
    ("silead,", ["avdd-supply", "vddio-supply"]),
    ("ilitek,ili9", ["vdd-supply", "vccio-supply"]),
    ("novatek,nt", ["vdd-supply", "vddi-supply"]),
    ("sitronix,st7", ["VCC-supply", "IOVCC-supply"]),
];
const USUAL_SUPPLIES: [&str; 2] = ["vdd-supply", "vddio-supply"];
const USUAL_PANEL_SUPPLIES: [&str; 2] = ["power-supply", "vddi-supply"];
const CAMERA_SUPPLIES: [(Rail, &str); 3] = [
    (Rail::Vcama, "avdd-supply"),
    (Rail::VcamIo, "dovdd-supply"),
    (Rail::Vcamd, "dvdd-supply"),
];

/// Which property names which output.
fn supplies(
    rails: impl Iterator<Item = Rail>,
    compatible: Option<&str>,
    usual: [&'static str; 2],
) -> Vec<(Rail, &'static str), 4> {
    let names = SUPPLIES
        .into_iter()
        .find(|(start, _)| compatible.is_some_and(|name| name.starts_with(start)))
        .map_or(usual, |(_, names)| names);
    let mut list: Vec<(Rail, &'static str), 4> = Vec::new();
    for rail in rails {
        let interface = matches!(rail, Rail::Vio18 | Rail::VcamIo);
        let name = names[usize::from(interface)];
        // One supply a property; a second analog one has no name.
        if !list.iter().any(|(_, other)| *other == name) {
            let _ = list.push((rail, name));
        }
    }
    list
}

/// All that is to be named, and which kinds are settled.
struct Parts<'a> {
    wanted: Vec<Wanted<'a>, 4>,
    panel: bool,
    touch: bool,
    cameras: bool,
}

impl<'a> Parts<'a> {
    fn of(found: &super::Found<'a>) -> Self {
        let mut wanted: Vec<Wanted<'a>, 4> = Vec::new();
        let size = match &found.display {
            Fitted::Part(Display { width, height, .. }) => Some((*width, *height)),
            _ => None,
        };
        // Four at most, as many as the vector holds.
        if let Fitted::Part(panel) = found.panel {
            let _ = wanted.push(panel_wanted(&panel));
        }
        if let Fitted::Part(touch) = found.touch {
            let _ = wanted.push(touch_wanted(&touch, size));
        }
        for camera in found.cameras {
            if let Fitted::Part(camera) = camera {
                let camera = camera_wanted(&camera);
                // Two may share an address and take turns on it, which no tree
                // can say: the first stands for both.
                let same = |other: &Wanted<'_>| {
                    (other.host, other.address) == (camera.host, camera.address)
                };
                if !wanted.iter().any(same) {
                    let _ = wanted.push(camera);
                }
            }
        }
        let unknown_camera = found
            .cameras
            .iter()
            .any(|camera| matches!(camera, Fitted::Unknown));
        Self {
            wanted,
            panel: !matches!(found.panel, Fitted::Unknown),
            touch: !matches!(found.touch, Fitted::Unknown),
            // Nodes of cameras do not say which socket they are.
            cameras: !unknown_camera,
        }
    }

    const fn settles(&self, kind: Kind) -> bool {
        match kind {
            Kind::Panel => self.panel,
            Kind::Touch => self.touch,
            Kind::Camera => self.cameras,
        }
    }
}

fn panel_wanted<'a>(panel: &PanelPart<'a>) -> Wanted<'a> {
    let rails = panel.wiring.supplies.iter().map(|supply| supply.rail);
    Wanted {
        kind: Kind::Panel,
        host: DSI,
        compatible: panel.row.compatible,
        id: panel.row.id,
        address: 0,
        supplies: supplies(rails, panel.row.compatible, USUAL_PANEL_SUPPLIES),
        reset: match panel.wiring.reset {
            PanelReset::Gpio(pin) => Some(("reset-gpios", pin)),
            // The display's own line, which no GPIO is.
            PanelReset::Lrstb(_) => None,
        },
        enable: None,
        eint: None,
        size: None,
    }
}

fn touch_wanted<'a>(touch: &TouchPart<'a>, size: Option<(u32, u32)>) -> Wanted<'a> {
    let wiring = touch.wiring;
    let rails = wiring.supplies.iter().map(|supply| supply.rail);
    Wanted {
        kind: Kind::Touch,
        host: usize::from(wiring.bus.controller),
        compatible: touch.row.compatible,
        id: touch.row.id,
        address: touch.address,
        supplies: supplies(rails, touch.row.compatible, USUAL_SUPPLIES),
        reset: wiring.reset.map(|pin| ("reset-gpios", pin)),
        enable: wiring.enable.map(|pin| ("enable-gpios", pin, ACTIVE_HIGH)),
        eint: Some(wiring.eint),
        size,
    }
}

fn camera_wanted<'a>(camera: &CameraPart<'a>) -> Wanted<'a> {
    let runs_with_high = camera.row.runs_with_pdn_high;
    let power_down = match runs_with_high.or(camera.wiring.runs_with_pdn_high) {
        Some(true) => ACTIVE_LOW,
        _ => ACTIVE_HIGH,
    };
    Wanted {
        kind: Kind::Camera,
        host: usize::from(camera.controller),
        compatible: camera.row.compatible,
        id: camera.row.id,
        address: camera.address,
        supplies: CAMERA_SUPPLIES.into_iter().collect(),
        reset: Some(("reset-gpios", camera.wiring.reset)),
        enable: Some(("powerdown-gpios", camera.wiring.power_down, power_down)),
        eint: None,
        size: None,
    }
}

impl<'t, 'h> Fixup<'t, '_, 'h> {
    /// Makes the tree name the parts that were identified.
    pub(super) fn parts(&mut self) -> Result<(), FixupError> {
        let parts = Parts::of(&self.hand_off.found);
        let found = &self.hand_off.found;
        if !(parts.panel || parts.touch || parts.cameras || !parts.wanted.is_empty())
            && matches!(found.display, Fitted::Unknown)
        {
            return Ok(());
        }
        let mut landmarks = Landmarks::find(self.tree);
        let frames = core::mem::take(&mut landmarks.frames);
        self.stale_frames(&frames)?;

        let hosts = [landmarks.i2c[0], landmarks.i2c[1], landmarks.dsi];
        let mut taken: Vec<Node<'t>, 4> = Vec::new();
        let mut missing: [Vec<&Wanted<'h>, 4>; HOSTS] = Default::default();
        for wanted in &parts.wanted {
            let Some(host) = hosts.get(wanted.host) else {
                continue;
            };
            let node = host.and_then(|host| self.choose(host, wanted, &taken));
            if let Some(node) = node {
                let properties = self.properties(&mut landmarks, wanted, Some(node))?;
                if !wanted.is_named_by(&node) {
                    self.set(node, "compatible", &wanted.compatible())?;
                }
                self.apply(node, &properties)?;
                let _ = taken.push(node);
            } else if let Some(list) = missing.get_mut(wanted.host) {
                let _ = list.push(wanted);
            }
            if let Some(host) = *host {
                self.open_host(host, wanted.kind)?;
            }
        }
        for (index, list) in missing.iter().enumerate() {
            self.add_parts(&mut landmarks, index, hosts[index], list)?;
        }
        self.disable_others(&hosts, &parts, &taken)
    }

    /// The node that is to name a part. Its address counts most, then what it
    /// names, then what it is called.
    fn choose(&self, host: Node<'t>, wanted: &Wanted<'_>, taken: &[Node<'t>]) -> Option<Node<'t>> {
        let mut buffer = [0; 32];
        let name = node_name(&mut buffer, wanted.node_name(), wanted.address.into());
        let mut best = None;
        let mut best_rank = 0;
        for node in host.children() {
            if self.kind_of(wanted.host, &node) != Some(wanted.kind) || taken.contains(&node) {
                continue;
            }
            let address = node.property(b"reg").and_then(|reg| reg.cells().next());
            let rank = 4 * u8::from(address == Some(wanted.address.into()))
                + 2 * u8::from(wanted.is_named_by(&node))
                + u8::from(node.name() == name);
            if rank > best_rank {
                (best, best_rank) = (Some(node), rank);
            }
        }
        best
    }

    /// Disables what is of a settled kind and was not identified.
    fn disable_others(
        &mut self,
        hosts: &[Option<Node<'t>>; HOSTS],
        parts: &Parts<'_>,
        taken: &[Node<'t>],
    ) -> Result<(), FixupError> {
        let mut left = MAX_NODES;
        for (index, host) in hosts.iter().enumerate() {
            for node in host.iter().flat_map(Node::children) {
                let settled = self
                    .kind_of(index, &node)
                    .is_some_and(|kind| parts.settles(kind));
                // Whether it is disabled already does not count, so that a
                // second run looks at the same nodes.
                if settled && left > 0 && !taken.contains(&node) {
                    left -= 1;
                    self.disable(node)?;
                }
            }
        }
        Ok(())
    }

    fn kind_of(&self, host: usize, node: &Node<'_>) -> Option<Kind> {
        let name = node.base_name();
        if host == DSI {
            // What leads to the rest of the display path is no panel.
            return (!matches!(name, b"port" | b"ports")).then_some(Kind::Panel);
        }
        let contains = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
        let known = &self.hand_off.found.known;
        let is = |compatible: Option<&str>| {
            compatible.is_some_and(|compatible| node.is_compatible(compatible.as_bytes()))
        };
        if contains(b"touch") || known.touch.iter().any(|row| is(row.compatible)) {
            Some(Kind::Touch)
        } else if contains(b"camera") || known.cameras.iter().any(|row| is(row.compatible)) {
            Some(Kind::Camera)
        } else {
            None
        }
    }

    /// A controller whose child is to be used.
    fn open_host(&mut self, host: Node<'t>, kind: Kind) -> Result<(), FixupError> {
        self.set(host, "#address-cells", &Value::cell(1))?;
        self.set(host, "#size-cells", &Value::cell(0))?;
        if kind != Kind::Panel && !host.is_available() {
            self.set(host, "status", &Value::Text("okay"))?;
        }
        Ok(())
    }

    /// Everything but `compatible`, which an old node may say better.
    fn properties(
        &mut self,
        landmarks: &mut Landmarks<'t>,
        wanted: &Wanted<'_>,
        old: Option<Node<'t>>,
    ) -> Result<Properties<'static>, FixupError> {
        let mut list = Properties::default();
        list.set("reg", Value::cell(u32::from(wanted.address)))?;
        let wants_pins = wanted.reset.is_some() || wanted.enable.is_some() || wanted.eint.is_some();
        if let Some(gpio) = landmarks.gpio.filter(|_| wants_pins)
            && let Some(phandle) = self.phandle_of(landmarks, gpio)?
        {
            let kept = |name: &str| last_of_three(old?, name);
            if let Some((name, pin)) = wanted.reset {
                let flags = kept(name).unwrap_or(wanted.reset_flags());
                list.set(name, Value::cells(&[phandle, u32::from(pin), flags]))?;
            }
            if let Some((name, pin, flags)) = wanted.enable {
                let flags = kept(name).unwrap_or(flags);
                list.set(name, Value::cells(&[phandle, u32::from(pin), flags]))?;
            }
            let interrupts = gpio.property(b"#interrupt-cells");
            if let Some(eint) = wanted.eint
                && interrupts.and_then(|cells| cells.as_u32()) == Some(2)
            {
                put_interrupt(&mut list, phandle, u32::from(eint), old)?;
            }
        }
        for &(rail, name) in &wanted.supplies {
            if let Some(phandle) = self.regulator(landmarks, rail)? {
                list.set(name, Value::cell(phandle))?;
            }
        }
        if let Some((width, height)) = wanted.size {
            let sizes = [
                ("touchscreen-size-x", width),
                ("touchscreen-size-y", height),
            ];
            for (name, pixels) in sizes {
                // A tree may know that the glass is larger than the picture.
                if old.is_none_or(|old| old.property(name.as_bytes()).is_none()) {
                    list.set(name, Value::cell(pixels))?;
                }
            }
        }
        list.set("status", Value::Text("okay"))?;
        Ok(list)
    }

    /// Adds the nodes of `list`, below `host` or with a host of their own.
    fn add_parts(
        &mut self,
        landmarks: &mut Landmarks<'t>,
        index: usize,
        host: Option<Node<'t>>,
        list: &[&Wanted<'h>],
    ) -> Result<(), FixupError> {
        let mut nodes: Vec<(&Wanted<'h>, Properties<'static>), 4> = Vec::new();
        for wanted in list {
            // Two cameras may share an address and take turns on it, which no
            // tree can say: the first stands for both.
            if nodes
                .iter()
                .any(|(other, _)| other.address == wanted.address)
            {
                continue;
            }
            let properties = self.properties(landmarks, wanted, None)?;
            let _ = nodes.push((wanted, properties));
        }
        if nodes.is_empty() {
            return Ok(());
        }
        if let Some(host) = host {
            for (wanted, properties) in &nodes {
                let mut buffer = [0; 32];
                let name = node_name(&mut buffer, wanted.node_name(), wanted.address.into());
                self.editor.add_node(host, name, &|node| {
                    node.property(b"compatible", &|value| wanted.compatible().put(value))?;
                    properties.put(node)
                })?;
            }
            return Ok(());
        }
        self.add_host(landmarks, index, &nodes)
    }

    /// Adds a controller with its parts. Ports that know it bring its clocks
    /// in their own trees; this one is there to be read.
    fn add_host(
        &mut self,
        landmarks: &Landmarks<'t>,
        index: usize,
        nodes: &[(&Wanted<'h>, Properties<'static>)],
    ) -> Result<(), FixupError> {
        let parent = landmarks.soc.unwrap_or(self.tree.root());
        let cells = parent.cells();
        if !matches!((cells.address, cells.size), (1 | 2, 1 | 2)) {
            return Ok(());
        }
        let (base_name, compatible, base) = match I2C_BASES.get(index) {
            Some(&base) => ("i2c", "mediatek,mt6572-i2c", base),
            None => ("dsi", "mediatek,mt6572-dsi", DSI_BASE),
        };
        let status = if index == DSI { "disabled" } else { "okay" };
        let mut buffer = [0; 32];
        let name = node_name(&mut buffer, base_name, base.into());
        let named = |node: &Node<'_>| node.name() == name;
        if parent.children().any(|node| named(&node)) {
            return Ok(());
        }
        self.editor.add_node(parent, name, &|host| {
            host.property(b"compatible", &|value| {
                value.put_string(compatible.as_bytes())
            })?;
            host.property(b"reg", &|value| {
                value.put_number(base.into(), cells.address)?;
                value.put_number(0x1000, cells.size)
            })?;
            host.property(b"#address-cells", &|value| value.put_u32(1))?;
            host.property(b"#size-cells", &|value| value.put_u32(0))?;
            host.property(b"status", &|value| value.put_string(status.as_bytes()))?;
            nodes
                .iter()
                .try_for_each(|(wanted, properties)| put_part(host, wanted, properties))
        })?;
        Ok(())
    }
}

fn put_part(
    host: &mut Fragment<'_>,
    wanted: &Wanted<'_>,
    properties: &Properties<'_>,
) -> Result<(), FdtError> {
    let mut buffer = [0; 32];
    host.begin_node(node_name(
        &mut buffer,
        wanted.node_name(),
        wanted.address.into(),
    ))?;
    host.property(b"compatible", &|value| wanted.compatible().put(value))?;
    properties.put(host)?;
    host.end_node()
}

/// The flags of a specifier `<phandle number flags>`, if that is what the
/// property is.
fn last_of_three(node: Node<'_>, name: &str) -> Option<u32> {
    let value = node.property(name.as_bytes())?;
    (value.value().len() == 12).then(|| value.cells().nth(2))?
}

/// Says the interrupt in the way in which the node does, with the trigger that
/// it states.
fn put_interrupt(
    list: &mut Properties<'_>,
    phandle: u32,
    eint: u32,
    old: Option<Node<'_>>,
) -> Result<(), FdtError> {
    let plain = old.and_then(|old| old.property(b"interrupts"));
    let extended = old.and_then(|old| old.property(b"interrupts-extended"));
    if let (Some(plain), None) = (plain, extended) {
        let trigger = (plain.value().len() == 8).then(|| plain.cells().nth(1));
        let trigger = trigger.flatten().unwrap_or(EDGE_FALLING);
        list.set("interrupt-parent", Value::cell(phandle))?;
        return list.set("interrupts", Value::cells(&[eint, trigger]));
    }
    let trigger = old.and_then(|old| last_of_three(old, "interrupts-extended"));
    let trigger = trigger.unwrap_or(EDGE_FALLING);
    list.set(
        "interrupts-extended",
        Value::cells(&[phandle, eint, trigger]),
    )
}
