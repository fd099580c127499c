//! Rows of a block that are mostly zeros, and rows that are left out of it.

use super::encode::FeatureReader;

/// What of a block's values is not 0.
#[derive(Default)]
pub(super) struct Sparse {
    pub(super) starts: Vec<usize>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f64>,
}

impl Sparse {
    /// Lists what of each row is not 0, rows that are left out aside.
    pub(super) fn list(
        &mut self,
        features: &[FeatureReader<'_>],
        width: usize,
        values: &[f64],
        left_out: &[bool],
    ) {
        self.starts.clear();
        self.columns.clear();
        self.values.clear();
        self.starts.push(0);
        for (row, values) in values.chunks_exact(width).enumerate() {
            if left_out[row] {
                continue;
            }
            for feature in features {
                let range = feature.present(row);
                self.values.extend_from_slice(&values[range.clone()]);
                self.columns.extend(range.map(|column| column as u32));
            }
            self.starts.push(self.values.len());
        }
    }
}

/// Keeps the rows of `width` values that are not left out.
pub(super) fn keep<T: Copy>(values: &mut Vec<T>, width: usize, left_out: &[bool]) {
    if width == 0 {
        return;
    }
    let mut end = 0;
    for (row, _) in left_out.iter().enumerate().filter(|(_, is_out)| !**is_out) {
        values.copy_within(row * width..(row + 1) * width, end);
        end += width;
    }
    values.truncate(end);
}
