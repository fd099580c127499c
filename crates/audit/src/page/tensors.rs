//! Which tensors decay, and why we think so.

use wd_page::number::{count, short};
use wd_page::{Content, Section, Table};

use crate::Audit;
use crate::summary::{FileSummary, TensorSummary};

/// Rows of a table that a person still reads; the JSON has all.
const MOST_ROWS: usize = 2000;

pub(super) fn section(audit: &Audit) -> Option<Section> {
    let file = super::main_file(audit).filter(|file| !file.parameters.is_empty())?;
    let mut contents = vec![Content::Paragraph(sentence(file))];
    let mut table = Table::new(&["tensor", "kind", "shape", "stored as", "λ", "RMS", "because"], 4);
    for one in file.parameters.iter().take(MOST_ROWS) {
        table.rows.push(row(one));
    }
    if file.parameters.len() > MOST_ROWS {
        contents.push(Content::Absent(format!(
            "The first {} of {} tensors are listed; --json has all.",
            count(MOST_ROWS as u64),
            count(file.parameters.len() as u64)
        )));
    }
    contents.push(Content::Table(table));
    Some(Section::full("tensors", "Which tensors decay", contents))
}

fn sentence(file: &FileSummary) -> String {
    match file.optimizers.as_slice() {
        [] => "No optimizer state is here, so the files do not say which tensors decay.".to_owned(),
        optimizers => {
            let tensors: usize = optimizers.iter().map(|one| one.decayed_tensors).sum();
            let parameters: Option<u64> = optimizers.iter().map(|one| one.decayed_parameters).sum();
            let size = parameters.map(|number| format!(" with {} parameters", count(number)));
            format!(
                "{} of {} tensors decay{}.",
                count(tensors as u64),
                count(file.parameters.len() as u64),
                size.unwrap_or_default()
            )
        }
    }
}

fn row(tensor: &TensorSummary) -> Vec<String> {
    let shape = tensor.shape.as_ref().map(|shape| {
        let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
        if sizes.is_empty() { "one number".to_owned() } else { sizes.join(" × ") }
    });
    let or_dash = |words: Option<String>| words.unwrap_or_else(|| "–".to_owned());
    vec![
        tensor.name.clone(),
        or_dash(tensor.kind.map(|kind| kind.to_string())),
        or_dash(shape),
        or_dash(tensor.dtype.map(|dtype| dtype.to_string())),
        or_dash(tensor.lambda.map(short)),
        or_dash(tensor.rms.map(short)),
        tensor.because.clone(),
    ]
}
