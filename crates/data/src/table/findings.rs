//! What only a pass over all rows can show of the columns of a matrix.

/// Remarks on the columns of a matrix, by their index, and what became of the rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// Rows that are used.
    pub rows: u64,
    /// Columns with one value in every row.
    pub constant: Vec<(usize, f64)>,
    /// Columns that repeat an earlier one in every row, with that one.
    pub duplicate: Vec<(usize, usize)>,
    /// Columns that number the rows, from 0 or 1: most likely an index that was written along.
    pub numbering: Vec<usize>,
    /// Columns with a number that is repeated far outside the rest: most likely a code.
    pub sentinels: Vec<Sentinel>,
    /// Columns that are a target in every row, with its index.
    pub copies: Vec<(usize, usize)>,
    /// Categories with a level for every other row or more, and how many levels they have.
    pub labels: Vec<(String, usize)>,
    /// Levels and classes that a single row has, each with its column.
    pub single: Vec<(String, String)>,
    /// Columns whose numbers begin with zeros that numbers do not need, with one of them: most
    /// likely names.
    pub padded: Vec<(String, String)>,
    /// The number of the last row, where it is most likely the total of the rows above.
    pub total: Option<u64>,
    /// Rows that are not used.
    pub left_out: LeftOut,
}

/// A number that most likely stands for something else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sentinel {
    /// Its column of the matrix.
    pub column: usize,
    /// The number.
    pub value: f64,
    /// Rows that hold it.
    pub count: u64,
    /// Between which numbers the others lie.
    pub rest: (f64, f64),
}

/// Rows that are not used, by the reason.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeftOut {
    /// Lines and rows without anything in their cells.
    pub blank: u64,
    /// Lines of comment.
    pub comments: u64,
    /// Rows with an empty cell that nothing fills.
    pub missing: u64,
    /// Columns whose cells were empty, with how often.
    pub missing_in: Vec<(String, u64)>,
    /// Rows with a level that the design does not know.
    pub unseen: u64,
    /// Columns with such levels, with how often and the first of them.
    pub unseen_in: Vec<(String, u64, String)>,
    /// Rows of weight 0.
    pub weightless: u64,
    /// Columns whose empty cells were filled, so that no row was lost to them, with how many.
    pub filled_in: Vec<(String, u64)>,
}

impl LeftOut {
    /// Rows and lines that are not used.
    pub fn count(&self) -> u64 {
        self.blank + self.comments + self.missing + self.unseen + self.weightless
    }

    /// Adds those of another file.
    pub(super) fn add(&mut self, other: LeftOut) {
        self.blank += other.blank;
        self.comments += other.comments;
        self.missing += other.missing;
        self.unseen += other.unseen;
        self.weightless += other.weightless;
        add_by_name(&mut self.missing_in, other.missing_in);
        add_by_name(&mut self.filled_in, other.filled_in);
        for (name, count, level) in other.unseen_in {
            match self.unseen_in.iter_mut().find(|(known, _, _)| *known == name) {
                Some((_, known, _)) => *known += count,
                None => self.unseen_in.push((name, count, level)),
            }
        }
    }
}

/// Adds counts to those of the same name.
fn add_by_name(counts: &mut Vec<(String, u64)>, others: Vec<(String, u64)>) {
    for (name, count) in others {
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known += count,
            None => counts.push((name, count)),
        }
    }
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

/// The least or the largest number of a column, and the one beside it.
#[derive(Debug, Clone, Copy)]
struct Extreme {
    value: f64,
    count: u64,
    next: f64,
}

impl Extreme {
    fn new() -> Self {
        Extreme { value: f64::INFINITY, count: 0, next: f64::INFINITY }
    }

    /// Looks at a number that is extreme where it is low.
    #[inline]
    fn see(&mut self, value: f64) {
        if value < self.value {
            *self = Extreme { value, count: 1, next: self.value };
        } else if value == self.value {
            self.count += 1;
        } else if value < self.next {
            self.next = value;
        }
    }
}

/// Of so many different numbers each is counted.
const FEW: usize = 6;
/// A total is off by no more than this share of it: its summands are rounded as they are printed.
const ROUNDING: f64 = 2e-4;

/// What is remembered of a column while its rows pass by.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    first: f64,
    constant: bool,
    numbering: bool,
    hash: u64,
    low: Extreme,
    /// Of the numbers with the other sign.
    high: Extreme,
    /// The different numbers with how often each occurs; nothing once they are many.
    few: Option<Vec<(f64, u64)>>,
    /// The sum of all numbers but the last, and the last.
    sum: f64,
    last: f64,
}

impl Watch {
    pub(super) fn new() -> Self {
        Watch {
            first: 0.0,
            constant: true,
            numbering: true,
            hash: 0,
            low: Extreme::new(),
            high: Extreme::new(),
            few: Some(Vec::new()),
            sum: 0.0,
            last: 0.0,
        }
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
        self.low.see(value);
        self.high.see(-value);
        self.sum += self.last;
        self.last = value;
        self.count(value);
        // The multiplier is that of splitmix64's last step; two different columns of a file agree
        // by chance once in 2⁶⁴.
        self.hash =
            (self.hash.rotate_left(5) ^ value.to_bits()).wrapping_mul(0x94d0_49bb_1331_11eb);
    }

    /// Counts a value, as long as there are few.
    #[inline]
    fn count(&mut self, value: f64) {
        let Some(few) = &mut self.few else { return };
        match few.iter().position(|(known, _)| *known == value) {
            Some(place) => few[place].1 += 1,
            None if few.len() < FEW => few.push((value, 1)),
            None => self.few = None,
        }
    }

    /// Whether its numbers are few and each is repeated: they are most likely names.
    fn has_few(&self) -> bool {
        self.few.as_ref().is_some_and(|few| few.iter().all(|(_, count)| *count > 1))
    }

    /// Rows with 1 in a column of indicators.
    pub(super) fn ones(&self) -> u64 {
        let ones = self.few.iter().flatten().find(|(value, _)| *value == 1.0);
        ones.map_or(0, |(_, count)| *count)
    }

    /// Whether the last number is the sum of those before it; nothing is known of a constant.
    pub(super) fn ends_in_total(&self) -> Option<bool> {
        let is_sum = (self.sum - self.last).abs() <= ROUNDING * self.last.abs();
        (!self.constant).then_some(is_sum && self.last != 0.0)
    }

    /// A number that stands for something else, if there is one.
    fn sentinel(&self, column: usize, rows: u64) -> Option<Sentinel> {
        let (low, high) = (self.low, self.high);
        let below = (low.value, low.count, (low.next, -high.value));
        let above = (-high.value, high.count, (low.value, -high.next));
        [below, above].into_iter().find_map(|(value, count, rest)| {
            // A few rows may hold an outlier, and half of them are no exception.
            let is_repeated = count >= 3 && count * 2 < rows;
            let range = rest.1 - rest.0;
            let gap = if value < rest.0 { rest.0 - value } else { value - rest.1 };
            let is_code = (value < 0.0 && rest.0 >= 0.0) || is_pattern(value);
            let is_far = range > 0.0 && gap > if is_code { 0.5 * range } else { 2.0 * range };
            let is_name = !is_code && self.has_few();
            let found = is_repeated && is_far && !is_name && gap.is_finite();
            found.then_some(Sentinel { column, value, count, rest })
        })
    }
}

/// Whether a number is written with the digits that codes are made of: −99, 999, 9999.
fn is_pattern(value: f64) -> bool {
    let text = value.abs().to_string();
    text.len() >= 2 && text.bytes().all(|digit| digit == b'9')
}

/// Draws the conclusions from the columns of the matrix and the targets.
pub(super) fn conclude(rows: u64, watches: &[Watch], targets: &[Watch]) -> Findings {
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
        findings.sentinels.extend(watch.sentinel(index, rows));
        if !watch.constant
            && let Some(target) = targets.iter().position(|target| target.hash == watch.hash)
        {
            findings.copies.push((index, target));
        }
    }
    findings
}
