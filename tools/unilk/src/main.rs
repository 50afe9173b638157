//! `unilk`, the host tool: the command line over the library.

mod cli;

use clap::Parser;
use std::panic;
use std::process::{ExitCode, exit};

/// Ends quietly when whoever reads the output has seen enough (`| head`): the
/// standard library's macros panic then.
fn end_with_the_reader() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |why| {
        let text = why.payload().downcast_ref::<String>();
        let closed = ["failed printing to stdout", "Broken pipe"];
        if text.is_some_and(|text| closed.iter().all(|part| text.contains(part))) {
            exit(0);
        }
        usual(why);
    }));
}

fn main() -> ExitCode {
    end_with_the_reader();
    let result = cli::Cli::parse().run();
    if let Err(why) = &result {
        eprintln!("unilk: {why:#}");
    }
    cli::output::exit_code(&result)
}
