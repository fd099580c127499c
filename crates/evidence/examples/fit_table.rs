//! Fits a column of a table to the others, and writes the page that `wd evidence --out` writes.
//!
//! `cargo run -p wd-evidence --example fit_table -- corpora/tables/diabetes.csv target page.html`

use wd_evidence::fit::{Request, fit};
use wd_page::{Context, Terminal};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [table, target, out] = arguments.as_slice() else {
        return Err("give TABLE COLUMN PAGE.html".into());
    };
    let analysis = fit(&[table], &Request::new(target))?;
    let page = analysis.page(&Context::default());
    std::fs::write(out, page.html())?;
    print!("{}", page.terminal(&Terminal::plain()));
    Ok(())
}
