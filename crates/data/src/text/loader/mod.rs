//! Batches of token windows, in an order that a seed decides and a position remembers.

mod pass;

use serde::{Deserialize, Serialize};

use crate::loading::{Epochs, LoaderError, Position};
use crate::text::corpus::Corpus;
use crate::text::error::TextError;
use crate::text::split::Split;
use pass::Pass;

/// In which order windows are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// In each epoch the documents are joined in a random order and the windows cut from them
    /// visited in another, so that a batch is not one document. Both follow from (seed, epoch)
    /// alone.
    #[default]
    Shuffled,
    /// Documents in file order: window i holds tokens iT … iT+T (inputs iT … iT+T−1, targets
    /// shifted by one), and step s takes windows sB … sB+B−1. Every epoch is the same.
    Sequential,
}

/// What a [`Loader`] hands out.
///
/// | field | range | meaning |
/// |---|---|---|
/// | `context` | ≥ 1 | tokens a window |
/// | `sequences` | ≥ 1 | windows a batch |
/// | `order` | | shuffled or sequential |
/// | `seed` | any | decides the order when shuffled |
/// | `epochs` | ≥ 1 | passes over the training documents allowed |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Tokens a window, T.
    pub context: usize,
    /// Windows a batch, B.
    pub sequences: usize,
    /// In which order windows are visited.
    pub order: Order,
    /// Decides the order when shuffled.
    pub seed: u64,
    /// Passes over the training documents allowed.
    pub epochs: u64,
}

/// Hands out training batches without replacement, and windows to evaluate on.
///
/// The training documents, joined, are N tokens: W = ⌊(N−1)/T⌋ windows that do not overlap, so that
/// in one epoch a token is an input at most once. An epoch has ⌊W/B⌋ steps; the windows left over
/// (fewer than B), and the tokens after the last window, are not read in that epoch.
///
/// The order of the windows does not depend on the size of a batch: 100 steps of 16 windows read
/// what 200 steps of 8 read, in the same order.
#[derive(Debug, Clone)]
pub struct Loader {
    corpus: Corpus,
    config: LoaderConfig,
    /// The pass of the epoch `loaded`.
    training: Pass,
    loaded: u64,
    /// The first pass, kept for [`Loader::seen`] where later ones differ.
    first: Option<Pass>,
    validation: Pass,
    position: Position,
}

impl Loader {
    /// A loader at the start of its first epoch.
    ///
    /// # Errors
    /// A setting of 0; training documents that do not fill one batch; validation documents that do
    /// not fill one window; a split that names documents which the corpus does not have.
    pub fn new(corpus: Corpus, split: Split, config: LoaderConfig) -> Result<Self, TextError> {
        // Batches beyond these do not fit in memory anyway, and their products cannot overflow.
        LoaderError::check("context", config.context as u64, 1 << 24)?;
        LoaderError::check("sequences", config.sequences as u64, 1 << 24)?;
        LoaderError::check("epochs", config.epochs, 1 << 32)?;
        let mut training = Pass::new(&corpus, &split.training, config.context)?;
        if training.windows() < config.sequences as u64 {
            return Err(TextError::TooFewTrainingTokens {
                tokens: training.tokens(),
                windows: training.windows(),
                context: config.context,
                sequences: config.sequences,
            });
        }
        let validation = Pass::new(&corpus, &split.validation, config.context)?;
        if validation.windows() == 0 && !split.validation.is_empty() {
            return Err(TextError::TooFewValidationTokens {
                tokens: validation.tokens(),
                context: config.context,
            });
        }
        let mut first = None;
        if config.order == Order::Shuffled {
            training.shuffle(&corpus, config.seed, 0)?;
            first = (config.epochs > 1).then(|| training.clone());
        }
        Ok(Loader {
            corpus,
            config,
            training,
            loaded: 0,
            first,
            validation,
            position: Position { epoch: 0, cursor: 0 },
        })
    }

    /// The corpus read.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// Steps in all epochs together: more cannot be asked for.
    pub fn steps_available(&self) -> u64 {
        self.epochs().steps()
    }

    /// Steps in one epoch.
    pub fn steps_in_epoch(&self) -> u64 {
        self.epochs().steps_in_epoch()
    }

    fn epochs(&self) -> Epochs {
        Epochs {
            unit: "window",
            items: self.training.windows(),
            batch: self.config.sequences as u64,
            count: self.config.epochs,
            keep_short_batch: false,
        }
    }

    /// Tokens of the training documents.
    pub fn training_tokens(&self) -> u64 {
        self.training.tokens()
    }

    /// Tokens of the validation documents.
    pub fn validation_tokens(&self) -> u64 {
        self.validation.tokens()
    }

    /// Fills the next batch: B windows of T tokens one after the other, `targets` shifted by one
    /// token. Allocates nothing.
    ///
    /// # Errors
    /// [`LoaderError::Exhausted`] after the last epoch; [`TextError::BufferLength`] unless both
    /// slices hold B·T tokens; [`TextError::TokenOutOfRange`] in a damaged corpus. After an error
    /// the position is what it was.
    pub fn next(&mut self, inputs: &mut [u32], targets: &mut [u32]) -> Result<(), TextError> {
        let context = self.config.context;
        let expected = context * self.config.sequences;
        if inputs.len() != expected || targets.len() != expected {
            return Err(TextError::BufferLength {
                inputs: inputs.len(),
                targets: targets.len(),
                expected,
            });
        }
        let Position { epoch, cursor } = self.position;
        self.epochs().check_left(self.position)?;
        if self.loaded != epoch {
            if self.config.order == Order::Shuffled {
                self.training.shuffle(&self.corpus, self.config.seed, epoch)?;
            }
            self.loaded = epoch;
        }
        let windows = inputs.chunks_exact_mut(context).zip(targets.chunks_exact_mut(context));
        for (visit, (inputs, targets)) in (cursor..).zip(windows) {
            self.training.read(&self.corpus, visit, inputs, targets)?;
        }
        self.position = self.epochs().after(self.position);
        Ok(())
    }

    /// How far training batches have been read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes to a position: the next batches are those that a loader which had read up to there
    /// would give.
    ///
    /// # Errors
    /// [`LoaderError::Position`] for a position outside the epochs and windows of this loader.
    pub fn seek(&mut self, position: Position) -> Result<(), TextError> {
        self.position = self.epochs().seek(position)?;
        Ok(())
    }

    /// Full windows in the validation documents, joined in file order.
    pub fn validation_windows(&self) -> u64 {
        self.validation.windows()
    }

    /// Reads one validation window: T inputs, T targets.
    ///
    /// # Errors
    /// [`LoaderError::OutOfRange`]; [`TextError::BufferLength`]; [`TextError::TokenOutOfRange`] in
    /// a damaged corpus.
    pub fn validation(
        &self,
        window: u64,
        inputs: &mut [u32],
        targets: &mut [u32],
    ) -> Result<(), TextError> {
        self.validation.read(&self.corpus, window, inputs, targets)
    }

    /// Windows of the first epoch that have been handed out by [`Loader::next`] up to the present
    /// position.
    pub fn windows_seen(&self) -> u64 {
        match self.position.epoch {
            0 => self.position.cursor,
            _ => self.steps_in_epoch() * self.config.sequences as u64,
        }
    }

    /// Reads a training window of the first epoch again, in the order of that epoch: below
    /// [`Loader::windows_seen`] it is one that has been trained on.
    ///
    /// # Errors
    /// [`LoaderError::OutOfRange`]; [`TextError::BufferLength`]; [`TextError::TokenOutOfRange`] in
    /// a damaged corpus.
    pub fn seen(
        &self,
        visit: u64,
        inputs: &mut [u32],
        targets: &mut [u32],
    ) -> Result<(), TextError> {
        let first = self.first.as_ref().unwrap_or(&self.training);
        first.read(&self.corpus, visit, inputs, targets)
    }
}
