//! What there is of a phone: parts with their places and their bytes, whether
//! they come from a readback, a directory of dumps or the phone itself.

use crate::finding::Finding;
use crate::source::Source;
use crate::storage::{Area, Storage, TAIL};
use std::sync::Arc;
use unilk_core::partition::canonical;

/// Where a part lies. Places that are not known (a directory of dumps without
/// a table) are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The area.
    pub area: Area,
    /// First byte in the area, on this card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The same in linear space, as scatter files and the PMT have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linear: Option<u64>,
    /// The same counted from the MBR, as MBR, EBR and kernels have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical: Option<u64>,
    /// Bytes.
    pub bytes: u64,
}

/// A part and its bytes.
#[derive(Clone)]
pub struct DumpPart {
    /// Name as the phone's table or the file has it.
    pub name: String,
    /// Where it lies.
    pub place: Place,
    /// What it holds; may be shorter than the place if the dump was cut off.
    pub data: Arc<dyn Source>,
}

/// What is known of the phone itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Phone {
    /// Hardware code or name of the chip: `6572`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chip_id: Option<String>,
    /// The eMMC's CID: 32 hexadecimal digits, unique to each card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// EXT_CSD\[226\]: size of each boot area in units of 128 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_size_mult: Option<u8>,
    /// EXT_CSD\[168\]: size of RPMB in units of 128 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpmb_size_mult: Option<u8>,
    /// Bytes of the user area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_bytes: Option<u64>,
    /// What the owner wants to find it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What there is of a phone.
#[derive(Clone, Default)]
pub struct Dump {
    /// What it was read from, for people: `user-area dump user.img`.
    pub origin: String,
    /// What is known of the phone.
    pub phone: Phone,
    /// Its parts.
    pub parts: Vec<DumpPart>,
    /// How the places are known.
    pub evidence: Vec<String>,
    /// What was wrong with it.
    pub findings: Vec<Finding>,
}

impl Dump {
    /// What a storage has, with what is known of the phone beside it.
    pub fn of(storage: &Storage, origin: &str, mut phone: Phone) -> Self {
        let mbr = storage.find("MBR").and_then(|part| part.linear);
        if storage.is_whole() {
            phone.user_bytes = storage.user_area().map(Source::len);
        }
        let mut dump = Self {
            origin: format!("{origin}, {}", storage.shape().describe()),
            phone,
            evidence: evidence(storage),
            findings: storage.findings().to_vec(),
            ..Self::default()
        };
        for part in storage.parts() {
            let Some(data) = storage.window(part) else {
                continue;
            };
            let in_user_area = part.area == Area::User && part.name != TAIL;
            let place = Place {
                area: part.area,
                offset: part.fixed.then_some(part.start),
                linear: part.linear,
                logical: part
                    .linear
                    .filter(|_| in_user_area)
                    .and_then(|linear| linear.checked_sub(mbr?)),
                bytes: part.len,
            };
            dump.parts.push(DumpPart {
                name: part.name.clone(),
                place,
                data: Arc::new(data),
            });
        }
        dump
    }

    /// The part called `name`, or one of its aliases.
    pub fn find(&self, name: &str) -> Option<&DumpPart> {
        self.parts.iter().find(|part| same_name(&part.name, name))
    }
}

/// How the places of a storage are known.
fn evidence(storage: &Storage) -> Vec<String> {
    let table = storage.evidence().describe().to_owned();
    let hardware = storage
        .hardware_bytes()
        .map(|bytes| format!("the user area begins at linear address {bytes:#x}"));
    std::iter::once(table).chain(hardware).collect()
}

/// Whether two names mean the same part.
pub fn same_name(a: &str, b: &str) -> bool {
    canonical(a).eq_ignore_ascii_case(canonical(b))
}
