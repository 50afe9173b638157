//! A good row of each kind, for tests to spoil.

use crate::source::{Panel, PanelToml, parse};

/// The panel of `data/panels/x.toml`, or the complaint about it.
pub fn panel(text: &str) -> Result<Panel, String> {
    parse::<PanelToml>("data/panels/x.toml", text)
        .and_then(|row| row.check("x"))
        .map_err(|problem| problem.0)
}

pub const PANEL: &str = r#"
names = ["ili9806e_6572_dsi_vdo"]
controller = "ili9806e"
width = 480
height = 854
lanes = 2
mode = "sync-pulse"
format = "rgb888"
vertical = { sync = 2, back = 18, front = 20 }
horizontal = { sync = 10, back = 60, front = 60 }
rate = { div1 = 1, div2 = 1, feedback = 30 }
reset = ["high 1", "low 10", "high 120"]
init = """
39 FF FF 98 06 04 01   # page 1
15 08 10
05 11
delay 120
05 29
"""
power_down = """
05 28
reset low 10
"""

[[id]]
unlock = ["39 FF FF 98 06 04 01"]
reads = ["00 1", "01 1"]
match = ["00[0]=98", "01[0]&F0=00", "strap1=high", "adc0=500..800"]
"#;

pub const TOUCH: &str = r#"
name = "FT6x06"
family = "FocalTech"
addresses = [0x38]
order = 20
wait_ms = 200
driver = "ft6306"
vendor_id = { write = [0xA8], len = 1 }

[[probe]]
write = [0xA3]
read = 1
expect = { values = [[0x06]] }
"#;

pub const CAMERA: &str = r#"
name = "OV5645"
maker = "OmniVision"
driver = "ov5645_mipi_yuv"
addresses = [0x3C]
address_bytes = 2
data_bytes = 1
registers = [0x300A, 0x300B]
values = [0x5645]
bus = "mipi"
core_mv = 1500
"#;

pub const WIRING: &str = r#"
name = "Most boards"
backlight = "isink"

[panel]
reset = { lrstb = { pin = 59, mode = 2 } }
te = { pin = 55, mode = 2 }
straps = [18, 19]

[touch]
bus = { controller = 1, scl = { pin = 113, mode = 1 }, sda = { pin = 114, mode = 1 } }
reset = 57
interrupt = { pin = 129, mode = 2 }
eint = 1
supplies = [{ rail = "vgp2", mv = 2800 }]

[cameras]
bus = { controller = 0, scl = { pin = 105, mode = 1 }, sda = { pin = 106, mode = 1 } }
main = { reset = 87, power_down = 88 }
"#;

pub const BOARD: &str = r#"
name = "X"
project = "x"
wiring = "w"
backlight = "isink"
panels = ["p"]
touch = ["t"]
cameras = { main = ["c"], sub = [] }
[keys]
volume_up = 2
volume_down = 1
"#;
