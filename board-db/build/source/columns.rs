//! The rows of a kind by field: equal bytes stand together, which packs to
//! half of what a list of rows does, and there is less to unpack.

use std::fmt::Write;

/// Fields of all rows. Each has its name, its type, and the Rust text of its
/// value in each row.
#[derive(Default)]
pub struct Columns(Vec<(&'static str, &'static str, Vec<String>)>);

impl Columns {
    /// Adds a row: the same fields each time, in the same order.
    pub fn push<const N: usize>(&mut self, row: [(&'static str, &'static str, String); N]) {
        for (at, (field, kind, value)) in row.into_iter().enumerate() {
            match self.0.get_mut(at) {
                Some((_, _, values)) => values.push(value),
                None => self.0.push((field, kind, vec![value])),
            }
        }
    }

    /// Rust text of a constant `name` of the type `kind`, with a `Column` for
    /// each field. Writing to a `String` cannot fail.
    pub fn emit(&self, out: &mut String, name: &str, kind: &str) {
        let mut fields = String::new();
        for (field, element, values) in &self.0 {
            let constant = format!("{name}_{}", field.to_uppercase());
            let mut known: Vec<&str> = Vec::new();
            let mut index = Vec::new();
            for value in values {
                let at = known.iter().position(|there| there == value);
                index.push(at.unwrap_or(known.len()));
                if at.is_none() {
                    known.push(value);
                }
            }
            list(out, &constant, element, &known);
            let index = numbers(out, &constant, &index);
            let _ = writeln!(
                fields,
                "{field}: Column {{ values: &{constant}, index: {index} }},"
            );
        }
        let _ = writeln!(out, "pub static {name}: {kind} = {kind} {{ {fields} }};");
    }
}

/// Rust text of `Numbers`, whose bytes are constants that begin with `name`:
/// the high ones are left out where all are zero.
pub fn numbers(out: &mut String, name: &str, numbers: &[usize]) -> String {
    let bytes = |shift: u32| numbers.iter().map(move |number| number >> shift & 0xFF);
    let low: Vec<String> = bytes(0).map(|byte| byte.to_string()).collect();
    let mut high: Vec<String> = bytes(8).map(|byte| byte.to_string()).collect();
    if high.iter().all(|byte| byte == "0") {
        high.clear();
    }
    list(out, &format!("{name}_LOW"), "u8", &low);
    list(out, &format!("{name}_HIGH"), "u8", &high);
    format!("Numbers {{ low: &{name}_LOW, high: &{name}_HIGH }}")
}

fn list<T: AsRef<str>>(out: &mut String, name: &str, kind: &str, items: &[T]) {
    let _ = writeln!(out, "static {name}: [{kind}; {}] = [", items.len());
    for item in items {
        let _ = write!(out, "{},", item.as_ref());
    }
    *out += "];\n";
}
