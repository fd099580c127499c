//! The lock of a run directory: one process trains in it at a time.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::metrics::{Column, MetricsWriter};
use crate::{RunDirectory, StoreError, aside};

/// Someone who asks for a run's status holds the lock (shared) for some microseconds; a trainer
/// that starts in that moment must not be turned away.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// The right to train in a run directory, held until this and every [`MetricsWriter`] made from it
/// are dropped.
///
/// The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct RunLock {
    file: Arc<File>,
    run: RunDirectory,
}

impl RunDirectory {
    /// Takes the lock and removes what killed processes left half written.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process holds it (or this one already does);
    /// [`StoreError::Io`] where the file system has no locks.
    pub fn lock(&self) -> Result<RunLock, StoreError> {
        let path = lock_path(self.path());
        let mut file = open_lock(&path)?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked {
                        path: self.path().to_owned(),
                        holder: read_holder(&mut file),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(StoreError::io("lock", &path)(source));
                }
            }
        }
        // The id only makes another process's error message better: a full disk is no reason to
        // refuse.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
        aside::sweep_files(self.path())?;
        self.checkpoints().sweep()?;
        Ok(RunLock { file: Arc::new(file), run: self.clone() })
    }

    /// Does a process (this one included) hold the lock?
    ///
    /// # Errors
    /// [`StoreError::Io`] when the lock file is there but cannot be opened or tried.
    pub fn is_locked(&self) -> Result<bool, StoreError> {
        let path = lock_path(self.path());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(StoreError::io("open", &path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(StoreError::io("lock", &path)(source)),
        }
    }
}

impl RunLock {
    /// The locked run directory.
    pub fn run(&self) -> &RunDirectory {
        &self.run
    }

    /// Fails when the directory, or the lock file in it, has been removed or replaced since the lock
    /// was taken: what is written from now on would be lost, or mixed with another run's.
    ///
    /// # Errors
    /// [`StoreError::LockLost`]; [`StoreError::Io`].
    pub fn check(&self) -> Result<(), StoreError> {
        let path = lock_path(self.run.path());
        let held = self.file.metadata().map_err(StoreError::io("read", &path))?;
        match std::fs::metadata(&path) {
            Ok(found) if is_same(&held, &found) => Ok(()),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::io("read", &path)(error))
            }
            _ => Err(StoreError::LockLost { path: self.run.path().to_owned() }),
        }
    }

    /// Opens `metrics.bin` to append rows after step `after_step` (0: from the beginning); rows
    /// beyond it, and a torn last row, are dropped.
    ///
    /// Only the lock gives a writer, and rows must have increasing steps: no step can ever have two
    /// rows. With
    /// `after_step` 0 a file with other columns, or a damaged one, is begun anew, since none of its
    /// rows is kept. Readers that have the file open keep the rows they saw.
    ///
    /// # Parameters
    /// | name | meaning |
    /// |---|---|
    /// | `columns` | the schema; the first is `step` as f64 |
    /// | `after_step` | the step of the checkpoint that the run resumes from |
    ///
    /// # Errors
    /// [`StoreError::InvalidColumns`]; [`StoreError::ColumnsDiffer`] or [`StoreError::Damaged`]
    /// when rows should be kept and cannot be; [`StoreError::DiskFull`], [`StoreError::Io`].
    pub fn metrics_writer(
        &self,
        columns: &[Column],
        after_step: u64,
    ) -> Result<MetricsWriter, StoreError> {
        MetricsWriter::open(
            &self.run.metrics_path(),
            columns,
            after_step,
            Some(Arc::clone(&self.file)),
        )
    }
}

/// Whether two open files are one.
#[cfg(unix)]
fn is_same(first: &Metadata, second: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (first.dev(), first.ino()) == (second.dev(), second.ino())
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// The lock of a folder that several processes change in turn, held until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder where it is missing, and waits until no other process holds its lock.
    ///
    /// # Errors
    /// [`StoreError::Io`] where the folder cannot be written or the file system has no locks.
    pub fn wait(folder: &Path) -> Result<Self, StoreError> {
        aside::create_directory(folder)?;
        let path = lock_path(folder);
        let file = open_lock(&path)?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        Ok(FolderLock { _file: file })
    }
}

fn open_lock(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(StoreError::write(path, 0))
}

fn lock_path(run: &Path) -> PathBuf {
    run.join(".lock")
}

fn read_holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    // A process id has at most ten digits; a longer file is not ours.
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
