//! One shape for every error of the crate, so that a boot that stops says the
//! same short code on the screen, on the UART and in the log.
//!
//! An enum made with `error_enum!` carries, beside each variant, its stable
//! code and the sentence for a person: what is wrong, then what to do.

use core::fmt::Display;

/// An error with a stable short code.
///
/// The code never changes once released (people search for it); the text may.
pub trait Code: Display {
    /// Upper-case code such as `"LK-MAGIC"`, at most 12 characters.
    fn code(&self) -> &'static str;
}

/// Declares an error enum: per variant its fields, code and message.
macro_rules! error_enum {
    (
        $(#[$outer:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$inner:meta])*
                $variant:ident $({ $( $(#[$fmeta:meta])* $field:ident : $ty:ty ),* $(,)? })?
                    => $code:literal, $message:literal;
            )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        $vis enum $name {
            $(
                $(#[$inner])*
                $variant $({ $( $(#[$fmeta])* $field : $ty ),* })?,
            )+
        }

        impl $crate::error::Code for $name {
            fn code(&self) -> &'static str {
                match self {
                    $( Self::$variant { .. } => $code, )+
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $( Self::$variant $({ $($field),* })? => write!(f, $message), )+
                }
            }
        }

        impl core::error::Error for $name {}
    };
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::string::ToString;

    error_enum! {
        enum Sample {
            Size { found: u32 } => "T-SIZE", "size is {found:#x}: pack it again";
            Gone => "T-GONE", "it is gone: look elsewhere";
        }
    }

    #[test]
    fn code_and_text_belong_to_the_variant() {
        assert_eq!(Sample::Size { found: 16 }.code(), "T-SIZE");
        assert_eq!(
            Sample::Size { found: 16 }.to_string(),
            "size is 0x10: pack it again"
        );
        assert_eq!(Sample::Gone.code(), "T-GONE");
        assert_eq!(Sample::Gone.to_string(), "it is gone: look elsewhere");
    }
}
