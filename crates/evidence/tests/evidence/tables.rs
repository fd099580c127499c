//! The shipped tables, and those beside the golden values.

use wd_evidence::Mat;

/// A table shipped with the project or kept beside the golden values: its numbers, and its columns'
/// names.
pub(crate) fn table(path: &str, has_header: bool) -> (Vec<Vec<f64>>, Vec<String>) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text: Box<dyn std::io::Read> =
        if path.extension().is_some_and(|extension| extension == "gz") {
            Box::new(flate2::read::GzDecoder::new(std::io::Cursor::new(bytes)))
        } else {
            Box::new(std::io::Cursor::new(bytes))
        };
    let mut reader = csv::ReaderBuilder::new().has_headers(has_header).from_reader(text);
    let names = if has_header {
        reader.headers().unwrap().iter().map(str::to_owned).collect()
    } else {
        Vec::new()
    };
    let rows = reader
        .records()
        .map(|record| record.unwrap().iter().map(|field| field.parse().unwrap()).collect());
    (rows.collect(), names)
}

/// Columns and target of a table: the last column, or the one named.
pub(crate) fn split(
    table: &(Vec<Vec<f64>>, Vec<String>),
    target: Option<&str>,
) -> (Mat<f64>, Vec<f64>) {
    let (rows, names) = table;
    let place = match target {
        Some(target) => names.iter().position(|name| name == target).unwrap(),
        None => rows[0].len() - 1,
    };
    let x = Mat::from_fn(rows.len(), rows[0].len() - 1, |i, j| {
        rows[i][if j < place { j } else { j + 1 }]
    });
    (x, rows.iter().map(|row| row[place]).collect())
}
