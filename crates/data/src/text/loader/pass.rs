//! One pass over documents: joined in some order, cut into windows, visited in some order.

use crate::LoaderError;
use crate::random::RandomStream;
use crate::text::corpus::Corpus;
use crate::text::error::TextError;

/// Documents joined end to end and cut into windows of `context` tokens that do not overlap; the
/// token after a window is the last target of the window, and the first input of the next.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    context: usize,
    documents: Vec<u32>,
    /// Where each of `documents` begins in the joined text.
    starts: Vec<u64>,
    tokens: u64,
    /// The windows in the order in which they are visited.
    visits: Vec<u32>,
}

impl Pass {
    /// Documents in the order given (ascending), windows from first to last.
    pub(crate) fn new(
        corpus: &Corpus,
        documents: &[u32],
        context: usize,
    ) -> Result<Self, TextError> {
        let mut pass = Pass {
            context,
            documents: documents.to_vec(),
            starts: vec![0; documents.len()],
            tokens: 0,
            visits: Vec::new(),
        };
        pass.join(corpus)?;
        let windows = pass.tokens.saturating_sub(1) / context as u64;
        let windows = u32::try_from(windows).map_err(|_| LoaderError::Setting {
            name: "the number of windows (a larger context makes fewer)",
            value: windows,
            limit: u64::from(u32::MAX),
        })?;
        pass.visits = (0..windows).collect();
        Ok(pass)
    }

    /// Shuffles documents and windows; the result depends on (seed, epoch) alone, not on what the
    /// order was before. Allocates nothing.
    pub(crate) fn shuffle(
        &mut self,
        corpus: &Corpus,
        seed: u64,
        epoch: u64,
    ) -> Result<(), TextError> {
        self.documents.sort_unstable();
        RandomStream::new("documents", seed, epoch).shuffle(&mut self.documents);
        self.join(corpus)?;
        for (window, visit) in (0..).zip(&mut self.visits) {
            *visit = window;
        }
        RandomStream::new("windows", seed, epoch).shuffle(&mut self.visits);
        Ok(())
    }

    fn join(&mut self, corpus: &Corpus) -> Result<(), TextError> {
        self.tokens = 0;
        for (document, start) in self.documents.iter().zip(&mut self.starts) {
            let range = corpus.document_range(u64::from(*document))?;
            *start = self.tokens;
            self.tokens += range.end - range.start;
        }
        Ok(())
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.tokens
    }

    pub(crate) fn windows(&self) -> u64 {
        self.visits.len() as u64
    }

    /// Reads the window visited `visit`-th: its tokens, and the same shifted by one. Allocates
    /// nothing.
    pub(crate) fn read(
        &self,
        corpus: &Corpus,
        visit: u64,
        inputs: &mut [u32],
        targets: &mut [u32],
    ) -> Result<(), TextError> {
        if inputs.len() != self.context || targets.len() != self.context {
            return Err(TextError::BufferLength {
                inputs: inputs.len(),
                targets: targets.len(),
                expected: self.context,
            });
        }
        let window = usize::try_from(visit).ok().and_then(|visit| self.visits.get(visit));
        let &window = window.ok_or(LoaderError::OutOfRange {
            what: "window",
            index: visit,
            count: self.windows(),
        })?;
        let first = u64::from(window) * self.context as u64;
        self.copy(corpus, first, inputs)?;
        let (last, others) = match targets.split_last_mut() {
            Some(parts) => parts,
            None => return Ok(()),
        };
        others.copy_from_slice(&inputs[1..]);
        self.copy(corpus, first + self.context as u64, std::slice::from_mut(last))
    }

    /// Copies tokens of the joined text, document by document.
    fn copy(&self, corpus: &Corpus, first: u64, mut out: &mut [u32]) -> Result<(), TextError> {
        // The last document that begins at `first` or before: the first one begins at 0.
        let mut place = self.starts.partition_point(|&start| start <= first).saturating_sub(1);
        let mut position = first;
        while !out.is_empty() {
            let range = corpus.document_range(u64::from(self.documents[place]))?;
            let from = range.start + (position - self.starts[place]);
            let count = usize::try_from(range.end - from).unwrap_or(usize::MAX).min(out.len());
            let (now, later) = out.split_at_mut(count);
            corpus.copy(from, now)?;
            position += count as u64;
            place += 1;
            out = later;
        }
        Ok(())
    }
}
