//! A phone with a board file of `boards`, booted once.

use unilk_core::hints::{self, HINTS_LEN, Hints};
use unilk_phone::{Kind, Screen};

use crate::common::phone::Scratch;
use crate::common::{Run, TestPhone, image, lk};

/// A phone before its boot.
pub struct Phone {
    board: String,
    lk: Vec<u8>,
    logo: Option<Vec<u8>>,
    errors_allowed: bool,
}

/// A boot that is over.
pub struct Boot {
    /// All that was recorded.
    pub run: Run,
    pictures: Scratch,
}

impl Phone {
    /// The board in `boards/{file}.toml`.
    pub fn new(file: &str) -> Phone {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/boards");
        let text = std::fs::read_to_string(format!("{folder}/{file}.toml")).unwrap();
        let (_, board) = text.split_once("\n[dram]").unwrap();
        Phone {
            board: format!("[dram]{board}"),
            lk: lk(),
            logo: None,
            errors_allowed: false,
        }
    }

    /// Its board file.
    pub fn text(&self) -> &str {
        &self.board
    }

    /// Another line in its board file.
    #[must_use]
    pub fn with(mut self, from: &str, to: &str) -> Phone {
        assert!(self.board.contains(from), "no {from:?} in the board file");
        self.board = self.board.replace(from, to);
        self
    }

    /// More at the end of its board file.
    #[must_use]
    pub fn and(mut self, toml: &str) -> Phone {
        self.board.push_str(toml);
        self
    }

    /// A bootloader with a hint at this panel's driver.
    #[must_use]
    pub fn hinted(mut self, panel: &str) -> Phone {
        let at = hints::find(&self.lk).unwrap();
        let block = Hints {
            panel: Some(panel),
            ..Hints::default()
        };
        self.lk[at..at + HINTS_LEN].copy_from_slice(&block.build().unwrap());
        self
    }

    /// This in its LOGO partition.
    #[must_use]
    pub fn with_logo(mut self, partition: Vec<u8>) -> Phone {
        self.logo = Some(partition);
        self
    }

    /// Guest errors are the point.
    #[must_use]
    pub fn may_err(mut self) -> Phone {
        self.errors_allowed = true;
        self
    }

    /// One boot, up to the kernel, which switches the phone off.
    #[track_caller]
    pub fn boot(self) -> Boot {
        let pictures = Scratch::new();
        let folder = pictures.path().to_owned();
        let mut phone = TestPhone::new()
            .board(&self.board)
            .part("UBOOT", self.lk)
            .part("BOOTIMG", image("tk.image=bootimg").build().unwrap())
            .change(move |phone| phone.screen(folder));
        if let Some(logo) = self.logo {
            phone = phone.part("LOGO", logo);
        }
        if self.errors_allowed {
            phone = phone.allow_guest_errors();
        }
        let run = phone.run();
        if !self.errors_allowed {
            run.ends_in_kernel();
        }
        run.says(&["TK end off"]);
        Boot { run, pictures }
    }
}

impl Boot {
    /// What the kernel was told under `unilk.{key}`.
    pub fn told(&self, key: &str) -> Option<&str> {
        let prefix = format!("TK unilk.{key}=");
        let mut lines = self.run.text().lines();
        lines.find_map(|line| line.trim_end().strip_prefix(&prefix))
    }

    /// What one saw in the end: the test kernel draws nothing.
    pub fn glass(&self) -> &str {
        let events = self.run.outcome.events.iter();
        events.fold("absent", |last, event| match &event.kind {
            Kind::Screen { state, .. } => state,
            _ => last,
        })
    }

    /// The first picture that was lit.
    pub fn lit(&self) -> Screen {
        let folder = self.pictures.path();
        self.run.outcome.screen(folder, "backlight-on").unwrap()
    }

    /// Virtual milliseconds from the bootloader's entry to the light.
    pub fn light_ms(&self) -> Option<u64> {
        let at = |wanted: fn(&Kind) -> bool| {
            let mut events = self.run.outcome.events.iter();
            let event = events.find(|event| wanted(&event.kind))?;
            Some(event.t_ns / 1_000_000)
        };
        let entry = at(|kind| matches!(kind, Kind::LkEntry { .. }))?;
        let lit = at(
            |kind| matches!(kind, Kind::Screen { milestone, .. } if milestone == "backlight-on"),
        )?;
        Some(lit - entry)
    }
}
