//! Touch chips and cameras of the facts as `[[i2c]]` of a board file, wired as
//! most boards are, and which rows of the facts such a chip cannot be told from.
//!
//! Source: facts/i2c-touch-camera.md 2.2, 2.3, 4.2, 4.4.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::data::{Camera, Step, Touch, hex};

/// Reset, interrupt and supplies of the touch chip on most boards.
const TOUCH_WIRES: &str = "bus = 1
rails = [{ rail = \"vgp1\", min_mv = 2600, max_mv = 3400 }, { rail = \"vgp2\", min_mv = 2600, max_mv = 3400 }]
int_pin = 129
";
const TOUCH_RESET: u8 = 57;
/// Reset and power-down of the main and the sub camera on most boards.
const SOCKETS: [(u8, u8); 2] = [(87, 88), (89, 90)];
/// Where the emulated Synaptics chips have their first query register; the
/// sources leave it open.
const QUERY_BASE: u8 = 0x40;
/// Millivolts above its core supply that a sensor stands, and that any stands.
const MORE_CORE_MV: u32 = 350;
const MOST_CORE_MV: u32 = 2000;
/// Bytes of an answer that the sources leave open: not all alike, which would
/// be a dead bus.
const OPEN: [u8; 2] = [0x5A, 0x3C];

/// A chip that is fitted.
pub struct Fitted {
    /// Its `[[i2c]]` tables.
    pub toml: String,
    /// 7-bit address.
    pub address: u8,
}

/// What a step's read gives. `turn` chooses among several right values.
fn reply(step: &Step, turn: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = OPEN.into_iter().cycle().take(step.read).collect();
    if step.values.is_empty() {
        return bytes;
    }
    bytes.fill(0);
    let value = hex(&step.values[turn % step.values.len()]);
    let mask = step.mask.as_deref().map_or(vec![0xFF; value.len()], hex);
    if bytes.len() < step.offset + value.len() {
        bytes.resize(step.offset + value.len(), 0);
    }
    for (at, (value, mask)) in value.iter().zip(&mask).enumerate() {
        let wanted = if step.invert { !value } else { *value };
        bytes[step.offset + at] = wanted & mask;
    }
    bytes
}

/// Register 0xE9 of a Synaptics chip describes its first function: it must be
/// the one whose query registers come next in the probe.
fn describes_query(chip: &Touch, index: usize) -> bool {
    chip.steps
        .get(index + 1)
        .is_some_and(|next| next.from_answer)
}

/// A touch chip; `turn` chooses among its addresses and right answers.
pub fn touch(chip: &Touch, turn: usize) -> Fitted {
    let address = chip.addresses[turn % chip.addresses.len()];
    let mut out = format!(
        "[[i2c]]\nname = {:?}\n{TOUCH_WIRES}addresses = [{address}]\naddress_width = {}\n",
        chip.id, chip.address_width
    );
    let _ = writeln!(
        out,
        "pins = [{{ pin = {TOUCH_RESET}, role = \"reset\", for_ms = {} }}]",
        chip.wait_ms
    );
    // The first that a register reads; a later step may have written it.
    let mut registers: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut dialogue = String::new();
    let unlock = unlock(chip, &mut dialogue);
    for (index, step) in chip
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.read > 0)
    {
        let mut bytes = reply(step, turn);
        if describes_query(chip, index) {
            bytes = reply(step, 0);
            bytes[0] = QUERY_BASE;
        }
        let write = if step.from_answer {
            vec![QUERY_BASE]
        } else {
            hex(&step.write)
        };
        if step.at.is_none() && write.is_empty() {
            let _ = writeln!(out, "banner = {bytes:?}");
        } else if step.at.is_none() && write.len() == chip.address_width {
            let register = write
                .iter()
                .fold(0u32, |all, byte| all << 8 | u32::from(*byte));
            registers.entry(register).or_insert(bytes);
        } else {
            dialogue.push_str("[[i2c.commands]]\n");
            if let Some(at) = step.at {
                let _ = writeln!(dialogue, "on = {at}");
                dialogue.push_str(if unlock { "needs = \"debug\"\n" } else { "" });
            }
            let _ = writeln!(dialogue, "write = {write:?}\nreply = {bytes:?}");
        }
    }
    // Only what the probe itself writes and reads again keeps what is written.
    let written = |read: &Step| {
        let earlier = chip
            .steps
            .iter()
            .filter(|step| step.read == 0 && step.at == read.at);
        let mut earlier = earlier.map(|step| hex(&step.write));
        !read.write.is_empty() && earlier.any(|write| write.starts_with(&hex(&read.write)))
    };
    if !chip.steps.iter().any(|step| step.read > 0 && written(step)) {
        out.push_str("read_only = [\"0x0000-0xFFFF\"]\n");
    }
    out.push_str("[i2c.registers]\n");
    for (register, bytes) in &registers {
        let _ = writeln!(out, "{register} = {bytes:?}");
    }
    Fitted {
        toml: out + &dialogue,
        address,
    }
}

/// The mode that the writes to a second address enter, up to the one that
/// takes time.
fn unlock(chip: &Touch, out: &mut String) -> bool {
    let at = chip.steps.iter().find_map(|step| step.at);
    let Some(at) = at else { return false };
    let steps: Vec<&Step> = chip
        .steps
        .iter()
        .filter(|step| step.at == Some(at))
        .collect();
    let writes = steps.iter().take_while(|step| step.read == 0).count();
    let last = steps[..writes].iter().position(|step| step.wait_ms > 0);
    let sequence = &steps[..last.map_or(writes, |last| last + 1)];
    let Some(end) = sequence.last() else {
        return false;
    };
    let bytes: Vec<Vec<u8>> = sequence.iter().map(|step| hex(&step.write)).collect();
    let _ = write!(
        out,
        "[[i2c.unlocks]]\nname = \"debug\"\non = {at}\nsequence = {bytes:?}\nwait_ms = {}\n",
        end.wait_ms
    );
    if let Some(exit) = chip.exit.last() {
        let _ = writeln!(out, "lock_on = [{:?}]", hex(exit));
    }
    true
}

/// Bytes of an answer that decide.
fn decided(chip: &Touch) -> usize {
    let tested = chip.steps.iter().filter(|step| !step.optional);
    let bytes = tested
        .filter_map(|step| step.values.first())
        .map(|value| hex(value).len());
    if chip.any {
        bytes.min().unwrap_or(0)
    } else {
        bytes.sum()
    }
}

/// What a chip says, by the address and what is written before.
type Replies = BTreeMap<(Option<u8>, Vec<u8>), Vec<u8>>;

fn replies(chip: &Touch, turn: usize) -> Replies {
    let reads = chip
        .steps
        .iter()
        .filter(|step| step.read > 0 && !step.from_answer);
    reads
        .map(|step| ((step.at, hex(&step.write)), reply(step, turn)))
        .collect()
}

fn step_agrees(step: &Step, replies: &Replies) -> bool {
    let answer = replies.get(&(step.at, hex(&step.write)));
    let matches = step.values.iter().any(|value| {
        let value = hex(value);
        let mask = step.mask.as_deref().map_or(vec![0xFF; value.len()], hex);
        value
            .iter()
            .zip(&mask)
            .enumerate()
            .all(|(at, (value, mask))| {
                let byte = answer.and_then(|answer| answer.get(step.offset + at));
                byte.copied().unwrap_or(0) & mask == *value
            })
    });
    step.values.is_empty() || matches != step.invert
}

/// Ids of the touch chips that answer at this address as this one does, and
/// are known by no less: the facts cannot say more.
pub fn touch_alike<'a>(all: &'a [Touch], chip: &Touch, turn: usize, address: u8) -> Vec<&'a str> {
    let replies = replies(chip, turn);
    let fits = |row: &&Touch| {
        if row.id == chip.id {
            return true;
        }
        let mut tested = row
            .steps
            .iter()
            .filter(|step| !step.values.is_empty() && !step.optional && !step.from_answer);
        let agrees = if row.any {
            tested.any(|step| step_agrees(step, &replies))
        } else {
            tested.all(|step| step_agrees(step, &replies))
        };
        row.addresses.contains(&address) && agrees && decided(row) >= decided(chip)
    };
    all.iter().filter(fits).map(|row| row.id.as_str()).collect()
}

/// Millivolts of the core supply between which a sensor lives.
fn core(camera: &Camera) -> (u32, u32) {
    match camera.core_mv {
        Some(mv) => (mv - mv / 16, (mv + MORE_CORE_MV).min(MOST_CORE_MV)),
        // Its core has a regulator of its own.
        None => (1150, MOST_CORE_MV),
    }
}

/// Letters of a sensor's name that tell its maker.
const MAKER_LETTERS: usize = 2;

/// Whether two sensors can share the core supply: where the sources do not
/// say what one needs, the table has what its maker's others need.
pub fn share_a_core(one: &Camera, other: &Camera) -> bool {
    let maker = |camera: &Camera| camera.id.get(..MAKER_LETTERS).map(str::to_owned);
    one.core_mv == other.core_mv && (one.core_mv.is_some() || maker(one) == maker(other))
}

/// A camera in socket 0 (main) or 1 (sub).
pub fn camera(camera: &Camera, socket: usize, turn: usize) -> Fitted {
    let address = camera.addresses[turn % camera.addresses.len()];
    let (reset, power_down) = SOCKETS[socket];
    let (least, most) = core(camera);
    let mut out = format!(
        "[[i2c]]\nname = {:?}\nbus = 0\naddresses = [{address}]\n\
         rails = [\n  {{ rail = \"vcam_io\", min_mv = 1700, max_mv = 3000 }},\n  \
         {{ rail = \"vcama\", min_mv = 2600, max_mv = 3000 }},\n  \
         {{ rail = \"vcamd\", min_mv = {least}, max_mv = {most} }},\n]\n\
         clock = {{ from = \"cmmclk\", min_mhz = 6, max_mhz = 54 }}\n\
         pins = [\n  {{ pin = {power_down}, role = \"standby\", high = {}, for_ms = 1 }},\n  \
         {{ pin = {reset}, role = \"reset\", for_ms = 3, edge = true }},\n]\n\
         address_width = {}\ndata_width = {}\n",
        camera.id, camera.runs_with_pdn_high, camera.address_width, camera.data_width
    );
    let contents = contents(camera, turn);
    let lines = contents
        .iter()
        .map(|(register, bytes)| format!("{register} = {bytes:?}"));
    let lines: Vec<String> = lines.collect();
    if camera.prelude.is_empty() {
        let names: Vec<String> = contents
            .keys()
            .map(|register| format!("\"{register}\""))
            .collect();
        let _ = writeln!(out, "read_only = [{}]", names.join(", "));
        let _ = writeln!(out, "registers = {{ {} }}", lines.join(", "));
    } else {
        let mut select: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        for write in &camera.prelude {
            let bytes = hex(write);
            let (register, value) = bytes.split_at(camera.address_width);
            let register = register
                .iter()
                .fold(0u32, |all, byte| all << 8 | u32::from(*byte));
            select.insert(register, value.to_vec());
        }
        let select = select
            .iter()
            .map(|(register, bytes)| format!("{register} = {bytes:?}"));
        let select: Vec<String> = select.collect();
        let _ = writeln!(
            out,
            "[[i2c.pages]]\nselect = {{ {} }}\nregisters = {{ {} }}",
            select.join(", "),
            lines.join(", ")
        );
    }
    Fitted { toml: out, address }
}

/// The ID registers and their bytes.
fn contents(camera: &Camera, turn: usize) -> BTreeMap<u32, Vec<u8>> {
    let value = camera.values[turn % camera.values.len()];
    let count = camera.registers.len() * camera.data_width;
    let bytes = value.to_be_bytes();
    let bytes = &bytes[bytes.len() - count..];
    let registers = camera.registers.iter().copied();
    registers
        .zip(bytes.chunks(camera.data_width).map(<[u8]>::to_vec))
        .collect()
}

/// Ids of the cameras that cannot be told from this one at this address.
pub fn cameras_alike<'a>(
    all: &'a [Camera],
    camera: &Camera,
    turn: usize,
    address: u8,
) -> Vec<&'a str> {
    let value = camera.values[turn % camera.values.len()];
    let fits = |row: &&Camera| {
        let same = (row.address_width, row.data_width, &row.registers)
            == (camera.address_width, camera.data_width, &camera.registers);
        // Without its page no register of this one shows.
        let page = camera
            .prelude
            .iter()
            .all(|write| row.prelude.contains(write));
        let agrees = row
            .values
            .iter()
            .any(|known| known & row.mask == value & row.mask);
        let sure = row.mask.count_ones() >= camera.mask.count_ones();
        row.id == camera.id || row.addresses.contains(&address) && same && page && agrees && sure
    };
    all.iter().filter(fits).map(|row| row.id.as_str()).collect()
}
