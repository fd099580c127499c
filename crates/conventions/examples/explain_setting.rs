//! Explains a setting that is built from numbers, and carries its λ over to another library.
//!
//! `cargo run -p wd-conventions --example explain_setting`

use wd_conventions::{Setting, convert, library};
use wd_decay::{Run, Schedule, ScheduleKind};
use wd_page::{Context, Terminal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let run = Run {
        steps: Some(50_000),
        schedule: Some(Schedule::new(ScheduleKind::Cosine, 400, 50_000, 0.1, 0)?),
        ..Run::at_peak(6e-4)
    };
    let setting = Setting::new(library::find("torch.AdamW")?, 0.1, run)?;
    print!("{}", setting.explain()?.page(&Context::default()).terminal(&Terminal::plain()));
    let conversion = convert(&setting, &"big_vision.adam".parse()?)?;
    println!("\nThe same decay in {}: {:?}", conversion.entry.name, conversion.lambda());
    Ok(())
}
