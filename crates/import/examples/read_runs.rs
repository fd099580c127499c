//! Reads the runs of another program and prints what they show.
//!
//! ```sh
//! cargo run -p wd-import --example read_runs -- runs/ train/full_loss
//! ```

use wd_import::{ReadOptions, RoleOptions, import};
use wd_lab::{AnalysisOptions, TrainingLoss};
use wd_page::{Context, Terminal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("the first argument is a file or a folder")?;
    let train = arguments.next();
    let roles = RoleOptions {
        train_is: train.as_ref().map(|_| TrainingLoss::FixedSet),
        train,
        ..RoleOptions::default()
    };
    let import = import(&[path.into()], &ReadOptions::default(), &roles)?;
    print!("{}", import.overview().page().terminal(&Terminal::plain()));
    let analysis = import.analyse(&AnalysisOptions::default())?;
    print!("{}", analysis.page(&Context::default()).terminal(&Terminal::plain()));
    Ok(())
}
