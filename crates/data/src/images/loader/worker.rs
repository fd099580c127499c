//! The thread that makes batches ahead, and the two buffers that go to it and come back.

use std::any::Any;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::batch::{Buffer, ImageBatch, Maker};
use crate::Position;
use crate::images::error::ImageError;

/// At any time one buffer is with the caller, and the other is with the thread or on its way back.
#[derive(Debug)]
pub(super) struct Worker {
    /// Absent once the worker is being dropped: the end of the channel ends the thread.
    orders: Option<SyncSender<Buffer>>,
    made: Receiver<Buffer>,
    /// The buffer with the caller, and the one that came back before it was needed or was never
    /// sent.
    present: Buffer,
    spare: Option<Buffer>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(mut maker: Maker, batch: usize) -> Result<Self, ImageError> {
        let size = maker.image_size();
        let (orders, ordered) = sync_channel::<Buffer>(1);
        let (deliver, made) = sync_channel::<Buffer>(1);
        let thread = Builder::new()
            .name("images".to_owned())
            .spawn(move || {
                for mut buffer in ordered {
                    maker.fill(&mut buffer);
                    if deliver.send(buffer).is_err() {
                        return;
                    }
                }
            })
            .map_err(|source| ImageError::Thread { source })?;
        Ok(Worker {
            orders: Some(orders),
            made,
            present: Buffer::new(batch, size),
            spare: Some(Buffer::new(batch, size)),
            thread: Some(thread),
        })
    }

    /// Has a batch made while the present one is used. A thread that has ended is noticed when the
    /// batch is taken.
    pub(super) fn order(&mut self, position: Position, length: usize) {
        if let (Some(mut buffer), Some(orders)) = (self.spare.take(), &self.orders) {
            buffer.position = position;
            buffer.length = length;
            let _ = orders.send(buffer);
        }
    }

    /// Makes a batch the present one: the one ordered, unless it is another; then it is ordered
    /// now.
    pub(super) fn take(&mut self, position: Position, length: usize) -> Result<(), ImageError> {
        loop {
            self.order(position, length);
            let Ok(buffer) = self.made.recv() else {
                return Err(self.last_words());
            };
            if buffer.position == position && buffer.length == length {
                self.spare = Some(std::mem::replace(&mut self.present, buffer));
                return Ok(());
            }
            self.spare = Some(buffer);
        }
    }

    pub(super) fn present(&self) -> ImageBatch<'_> {
        self.present.batch()
    }

    fn last_words(&mut self) -> ImageError {
        let panic = self.thread.take().and_then(|thread| thread.join().err());
        let text = |panic: &(dyn Any + Send)| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| panic.downcast_ref::<String>().cloned())
        };
        let problem = panic.and_then(|panic| text(&*panic));
        ImageError::LoaderThread { problem: problem.unwrap_or_else(|| "without a word".to_owned()) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread sees the end of its orders. A batch on its way back has room in the channel:
        // nobody waits.
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
