//! What only a pass over all rows can show of the columns of a matrix.

/// Remarks on the columns of a matrix, by their index.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// Rows read.
    pub rows: u64,
    /// Columns with one value in every row.
    pub constant: Vec<(usize, f64)>,
    /// Columns that repeat an earlier one in every row, with that one.
    pub duplicate: Vec<(usize, usize)>,
    /// Columns that number the rows, from 0 or 1: most likely an index that was written along.
    pub numbering: Vec<usize>,
}

impl Findings {
    /// Columns that are neither constant nor duplicates.
    pub fn kept(&self, width: usize) -> Vec<usize> {
        (0..width)
            .filter(|column| {
                self.constant.iter().all(|(found, _)| found != column)
                    && self.duplicate.iter().all(|(found, _)| found != column)
            })
            .collect()
    }
}

/// What is remembered of a column while its rows pass by.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    first: f64,
    constant: bool,
    numbering: bool,
    hash: u64,
}

impl Watch {
    pub(super) fn new() -> Self {
        Watch { first: 0.0, constant: true, numbering: true, hash: 0 }
    }

    /// Looks at the next value; `row` counts from 0.
    #[inline]
    pub(super) fn see(&mut self, row: u64, value: f64) {
        let value = value + 0.0; // −0 is 0
        if row == 0 {
            self.first = value;
            self.numbering = value == 0.0 || value == 1.0;
        }
        self.constant &= value == self.first;
        self.numbering &= value == self.first + row as f64;
        // The multiplier is that of splitmix64's last step; two different columns of a file agree
        // by chance once in 2⁶⁴.
        self.hash =
            (self.hash.rotate_left(5) ^ value.to_bits()).wrapping_mul(0x94d0_49bb_1331_11eb);
    }
}

/// Draws the conclusions.
pub(super) fn conclude(rows: u64, watches: &[Watch]) -> Findings {
    let mut findings = Findings { rows, ..Findings::default() };
    if rows < 2 {
        return findings;
    }
    let mut seen = std::collections::HashMap::new();
    for (index, watch) in watches.iter().enumerate() {
        if watch.constant {
            findings.constant.push((index, watch.first));
        } else if let Some(first) = seen.insert(watch.hash, index) {
            findings.duplicate.push((index, first));
            seen.insert(watch.hash, first);
        }
        if watch.numbering && !watch.constant && rows > 2 {
            findings.numbering.push(index);
        }
    }
    findings
}
