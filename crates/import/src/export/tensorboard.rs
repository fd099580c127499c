//! Curves and settings as event files, each run in a folder of its own.
//!
//! Scalars are written as `simple_value`, which every reader knows, and are rounded to f32 by it.
//! Hyperparameters stand in the run itself, so that the HPARAMS tab shows them beside the losses.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use wd_lab::Study;
use wd_store::Status;

use super::unwritable;
use crate::ImportError;
use crate::formats::tensorboard::masked;

/// Writes all runs of a study below a folder.
pub(super) fn write(study: &Study, folder: &Path) -> Result<(), ImportError> {
    for trial in study.trials() {
        let record = study.record(trial)?;
        let folder = folder.join(&trial.name);
        let is_finished = matches!(record.status, Status::Finished { .. });
        let series = record.series()?;
        let written = (|| {
            let mut file = begin_event_file(&folder, &record.settings, is_finished)?;
            for name in series.names() {
                let curve = series.curve(&name);
                for (step, value) in curve.steps.iter().zip(&curve.values) {
                    if !value.is_nan() {
                        file.scalar(&name, *step, *value as f32)?;
                    }
                }
            }
            file.finish()
        })();
        written.map_err(|error| unwritable(&folder, error))?;
    }
    Ok(())
}

/// An event file that is being written.
pub struct EventFile(Events<BufWriter<File>>);

/// Begins the event file of a run in a folder of its own, with its settings as hyperparameters.
///
/// # Errors
/// When the folder or the file cannot be made.
pub fn begin_event_file(
    folder: &Path,
    settings: &BTreeMap<String, String>,
    is_finished: bool,
) -> std::io::Result<EventFile> {
    fs::create_dir_all(folder)?;
    // Readers order the files of a run by name, which begins with a time.
    let file = File::create(folder.join("events.out.tfevents.0000000001.wd"))?;
    let mut events = Events { out: BufWriter::new(file) };
    events.version()?;
    events.hyperparameters(settings, is_finished)?;
    Ok(EventFile(events))
}

impl EventFile {
    /// Writes a number of a curve.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f32) -> std::io::Result<()> {
        self.0.scalar(tag, step, value)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// As [`EventFile::scalar`].
    pub fn finish(mut self) -> std::io::Result<()> {
        self.0.out.flush()
    }
}

struct Events<W: Write> {
    out: W,
}

impl<W: Write> Events<W> {
    /// A record: its length, the data, and a checksum of each.
    fn record(&mut self, event: &[u8]) -> std::io::Result<()> {
        let length = (event.len() as u64).to_le_bytes();
        self.out.write_all(&length)?;
        self.out.write_all(&masked(&length).to_le_bytes())?;
        self.out.write_all(event)?;
        self.out.write_all(&masked(event).to_le_bytes())
    }

    fn version(&mut self) -> std::io::Result<()> {
        let mut event = wall_time();
        bytes_field(&mut event, 3, b"brain.Event:2");
        self.record(&event)
    }

    fn scalar(&mut self, tag: &str, step: u64, value: f32) -> std::io::Result<()> {
        let mut inner = Vec::new();
        bytes_field(&mut inner, 1, tag.as_bytes());
        varint(&mut inner, 2 << 3 | 5);
        inner.extend_from_slice(&value.to_le_bytes());
        self.summary(step, &inner)
    }

    fn summary(&mut self, step: u64, value: &[u8]) -> std::io::Result<()> {
        let mut event = wall_time();
        varint(&mut event, 2 << 3);
        varint(&mut event, step);
        let mut summary = Vec::new();
        bytes_field(&mut summary, 1, value);
        bytes_field(&mut event, 5, &summary);
        self.record(&event)
    }

    /// `session_start_info` with the settings, and `session_end_info` with how it ended.
    fn hyperparameters(
        &mut self,
        settings: &BTreeMap<String, String>,
        is_finished: bool,
    ) -> std::io::Result<()> {
        let mut start = Vec::new();
        for (key, text) in settings {
            let mut value = Vec::new();
            match text.parse::<f64>() {
                Ok(number) => {
                    varint(&mut value, 2 << 3 | 1);
                    value.extend_from_slice(&number.to_le_bytes());
                }
                Err(_) => bytes_field(&mut value, 3, text.as_bytes()),
            }
            let mut entry = Vec::new();
            bytes_field(&mut entry, 1, key.as_bytes());
            bytes_field(&mut entry, 2, &value);
            bytes_field(&mut start, 1, &entry);
        }
        self.plugin("_hparams_/experiment", 2, &[])?;
        self.plugin("_hparams_/session_start_info", 3, &start)?;
        let mut end = Vec::new();
        varint(&mut end, 1 << 3);
        varint(&mut end, if is_finished { 1 } else { 3 });
        self.plugin("_hparams_/session_end_info", 4, &end)
    }

    /// A value whose content belongs to the plugin `hparams`.
    fn plugin(&mut self, tag: &str, field: u64, message: &[u8]) -> std::io::Result<()> {
        let mut content = Vec::new();
        bytes_field(&mut content, field, message);
        let mut data = Vec::new();
        bytes_field(&mut data, 1, b"hparams");
        bytes_field(&mut data, 2, &content);
        let mut metadata = Vec::new();
        bytes_field(&mut metadata, 1, &data);
        // TensorBoard ignores a summary without a tensor: one float, without axes.
        let mut tensor = Vec::new();
        varint(&mut tensor, 1 << 3);
        varint(&mut tensor, 1);
        bytes_field(&mut tensor, 2, &[]);
        bytes_field(&mut tensor, 5, &0f32.to_le_bytes());
        let mut value = Vec::new();
        bytes_field(&mut value, 1, tag.as_bytes());
        bytes_field(&mut value, 8, &tensor);
        bytes_field(&mut value, 9, &metadata);
        self.summary(0, &value)
    }
}

/// An event with a time of its own: none is known, and readers want one.
fn wall_time() -> Vec<u8> {
    let mut event = vec![1 << 3 | 1];
    event.extend_from_slice(&1f64.to_le_bytes());
    event
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn bytes_field(message: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(message, field << 3 | 2);
    varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}
