//! Appending rows to `metrics.bin`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::header::{self, Column, ColumnType};
use super::{MetricsReader, whole_step};
use crate::StoreError;
use crate::aside::write_aside;

/// Rows wait in memory at most about this long (checked when a row comes).
const INTERVAL: Duration = Duration::from_secs(1);
/// Rows wait until they fill about this much memory.
const BUFFER_BYTES: usize = 256 * 1024;

/// Appends rows to a metrics file; made by [`crate::RunLock::metrics_writer`].
///
/// Rows are buffered: they reach the operating system about once a second, when the buffer is full,
/// with [`flush`](Self::flush), and when the writer is dropped. A kill loses at most the buffered
/// rows, which a resumed run makes again.
#[derive(Debug)]
pub struct MetricsWriter {
    path: PathBuf,
    file: File,
    types: Vec<ColumnType>,
    row_width: usize,
    /// Rows, and perhaps the rest of one, that are not in the file yet. Never grows beyond its
    /// capacity.
    buffer: Vec<u8>,
    buffer_limit: usize,
    interval: Duration,
    flushed: Instant,
    last_step: u64,
    /// While rows can be written the directory stays locked.
    _lock: Option<Arc<File>>,
}

impl MetricsWriter {
    pub(crate) fn open(
        path: &Path,
        columns: &[Column],
        after_step: u64,
        lock: Option<Arc<File>>,
    ) -> Result<Self, StoreError> {
        header::check_columns(columns)?;
        let last_step = if after_step == 0 {
            begin(path, columns)?;
            0
        } else {
            keep_until(path, columns, after_step)?
        };
        let file =
            OpenOptions::new().append(true).open(path).map_err(StoreError::io("open", path))?;
        let types: Vec<ColumnType> = columns.iter().map(|column| column.dtype).collect();
        let row_width = types.iter().map(|dtype| dtype.width()).sum();
        let mut writer = Self {
            path: path.to_owned(),
            file,
            types,
            row_width,
            buffer: Vec::new(),
            buffer_limit: 0,
            interval: INTERVAL,
            flushed: Instant::now(),
            last_step,
            _lock: lock,
        };
        writer.set_buffering((BUFFER_BYTES / row_width).max(1), INTERVAL);
        Ok(writer)
    }

    /// Sets after how many rows, and after how long, the buffer is flushed.
    ///
    /// | name | meaning | default |
    /// |---|---|---|
    /// | `rows` | rows held at most; 1 writes each row at once | 256 KiB of rows |
    /// | `interval` | flush when a row comes this long after the last flush | 1 s |
    pub fn set_buffering(&mut self, rows: usize, interval: Duration) {
        // At least what is buffered already, and room for a row.
        self.buffer_limit =
            rows.max(1).saturating_mul(self.row_width).max(self.buffer.len() + self.row_width);
        self.buffer.reserve_exact(self.buffer_limit - self.buffer.len());
        self.interval = interval;
    }

    /// The step of the last row, in the file or the buffer; 0 when there is none. Less than the
    /// step that the writer was opened after means that rows were lost before, and that the curve
    /// has a hole.
    pub fn last_step(&self) -> u64 {
        self.last_step
    }

    /// Appends a row: one value a column, the step first. Allocates nothing.
    ///
    /// # Errors
    /// [`StoreError::RowLength`], [`StoreError::StepOrder`]: the row is not taken.
    /// [`StoreError::DiskFull`], [`StoreError::Io`] from a flush: nothing is lost, the buffered
    /// rows stay and are tried again by the next flush. Whether this row was taken is seen from
    /// [`last_step`](Self::last_step).
    pub fn append(&mut self, row: &[f64]) -> Result<(), StoreError> {
        if row.len() != self.types.len() {
            return Err(StoreError::RowLength { expected: self.types.len(), found: row.len() });
        }
        let step = match whole_step(row[0]) {
            Some(step) if step > self.last_step => step,
            _ => {
                return Err(StoreError::StepOrder { step: row[0], last: self.last_step });
            }
        };
        if self.buffer.len() + self.row_width > self.buffer_limit {
            self.flush()?;
        }
        for (value, dtype) in row.iter().zip(&self.types) {
            match dtype {
                ColumnType::F64 => self.buffer.extend_from_slice(&value.to_le_bytes()),
                ColumnType::F32 => self.buffer.extend_from_slice(&(*value as f32).to_le_bytes()),
            }
        }
        self.last_step = step;
        if self.buffer.len() + self.row_width > self.buffer_limit
            || self.flushed.elapsed() >= self.interval
        {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands the buffered rows to the operating system: a kill of this process no longer loses
    /// them.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] with the number of bytes that still have to be written,
    /// [`StoreError::Io`]. The rows stay buffered and the next flush goes on exactly where this one
    /// stopped.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.flushed = Instant::now();
        let mut written = 0;
        let result = loop {
            if written == self.buffer.len() {
                break Ok(());
            }
            match self.file.write(&self.buffer[written..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        // A write may stop in the middle of a row. The file is not cut back, since a reader may
        // have mapped it: the rest of that row stays first in the buffer.
        self.buffer.drain(..written);
        result.map_err(StoreError::write(&self.path, self.buffer.len() as u64))
    }

    /// Flushes, and waits until the rows are on the disk: not even a power loss loses them. To be
    /// called before a checkpoint is saved, so that a run that resumes from it has every row until
    /// there.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.file.sync_data().map_err(StoreError::write(&self.path, 0))
    }
}

impl Drop for MetricsWriter {
    fn drop(&mut self) {
        // There is nobody to tell; who wants to know calls `flush` first.
        let _ = self.flush();
    }
}

/// A file with these columns and no rows.
fn begin(path: &Path, columns: &[Column]) -> Result<(), StoreError> {
    // A later version's file is not ours to replace.
    if let Err(error @ StoreError::TooNew { .. }) = MetricsReader::open(path) {
        return Err(error);
    }
    write_aside(path, &header::encode(columns)?)
}

/// Drops the rows after step `after_step` and a torn end; gives the step of the last row that
/// stays.
fn keep_until(path: &Path, columns: &[Column], after_step: u64) -> Result<u64, StoreError> {
    let reader = match MetricsReader::open(path) {
        Err(StoreError::Missing { .. }) => {
            begin(path, columns)?;
            return Ok(0);
        }
        Err(StoreError::Damaged { path, reason }) => {
            let reason = format!(
                "{reason}; move it away to go on without the rows before step {after_step}"
            );
            return Err(StoreError::Damaged { path, reason });
        }
        reader => reader?,
    };
    if let Some(difference) = first_difference(reader.columns(), columns) {
        return Err(StoreError::ColumnsDiffer { path: path.to_owned(), difference });
    }
    let step_of = |row: usize| whole_step(reader.value(row, 0));
    let mut rows = reader.rows();
    while rows > 0 && step_of(rows - 1).is_none_or(|step| step > after_step) {
        rows -= 1;
    }
    if rows < reader.rows() || reader.is_torn() {
        // A new file instead of a cut: who reads the old one has it mapped, and must not lose pages
        // under the hand.
        write_aside(path, reader.bytes_of_rows(rows))?;
    }
    Ok(rows.checked_sub(1).and_then(step_of).unwrap_or(0))
}

fn first_difference(file: &[Column], ours: &[Column]) -> Option<String> {
    let show = |column: Option<&Column>| match column {
        Some(column) => format!("`{}` ({:?})", column.name, column.dtype),
        None => "nothing".to_owned(),
    };
    (0..file.len().max(ours.len())).find(|&at| file.get(at) != ours.get(at)).map(|at| {
        format!("column {} is {} there and {} here", at + 1, show(file.get(at)), show(ours.get(at)))
    })
}
