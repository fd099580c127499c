//! Tokens of the sample corpora are their own positions: a batch tells where it was read.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};

use proptest::prelude::*;
use tempfile::TempDir;
use wd_data::text::{Corpus, Loader, LoaderConfig, Order, Split, TextError};
use wd_data::{LoaderError, Position};

use super::support::sample;

/// A loader that remembers how large its batches are.
#[derive(Debug)]
struct Reader {
    loader: Loader,
    config: LoaderConfig,
}

impl Reader {
    fn new(corpus: Corpus, split: Split, config: LoaderConfig) -> Result<Self, TextError> {
        Ok(Reader { loader: Loader::new(corpus, split, config)?, config })
    }
}

impl Deref for Reader {
    type Target = Loader;

    fn deref(&self) -> &Loader {
        &self.loader
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Loader {
        &mut self.loader
    }
}

fn loader(lengths: &[u64], fraction: f64, config: LoaderConfig) -> (Reader, TempDir) {
    let (corpus, folder) = sample(lengths, 37);
    let split = Split::new(&corpus, fraction, 11).unwrap();
    (Reader::new(corpus, split, config).unwrap(), folder)
}

fn config(context: usize, sequences: usize, order: Order, epochs: u64) -> LoaderConfig {
    LoaderConfig { context, sequences, order, seed: 5, epochs }
}

fn batch(loader: &mut Reader) -> (Vec<u32>, Vec<u32>) {
    let size = loader.config.context * loader.config.sequences;
    let (mut inputs, mut targets) = (vec![0; size], vec![0; size]);
    loader.next(&mut inputs, &mut targets).unwrap();
    (inputs, targets)
}

fn all(loader: &mut Reader) -> Vec<(Vec<u32>, Vec<u32>)> {
    (0..loader.steps_available()).map(|_| batch(loader)).collect()
}

#[test]
fn sequential_windows_hold_the_tokens_in_file_order() {
    let (mut loader, _folder) = loader(&[7, 1, 30, 12], 0.0, config(4, 3, Order::Sequential, 2));
    assert_eq!((loader.training_tokens(), loader.validation_tokens()), (50, 0));
    // 49 inputs have a target: 12 windows of 4, 4 steps of 3 windows.
    assert_eq!(loader.steps_available(), 8);
    for _ in 0..2 {
        for step in 0..4 {
            let first = step * 12;
            let (inputs, targets) = batch(&mut loader);
            assert_eq!(inputs, (first..first + 12).collect::<Vec<_>>());
            assert_eq!(targets, (first + 1..first + 13).collect::<Vec<_>>());
        }
    }
    let error = loader.next(&mut [0; 12], &mut [0; 12]).unwrap_err();
    assert!(matches!(error, TextError::Loader(LoaderError::Exhausted { epochs: 2, steps: 4 })));
}

/// Written down once, so that a resumed run reads on in its order whatever version resumes it.
#[test]
fn the_shuffled_order_is_the_same_for_ever() {
    let (mut loader, _folder) =
        loader(&[20, 11, 30, 7, 18, 26], 0.0, config(4, 4, Order::Shuffled, 2));
    let firsts: Vec<u32> = all(&mut loader)
        .iter()
        .flat_map(|(inputs, _)| inputs.chunks(4).map(|window| window[0]))
        .collect();
    assert_eq!(firsts, SHUFFLED);
}
const SHUFFLED: [u32; 48] = [
    70, 98, 51, 63, 74, 102, 31, 47, 90, 110, 35, 39, 55, 23, 78, 18, 106, 14, 10, 86, 67, 27, 6,
    2, //
    21, 52, 60, 32, 79, 56, 25, 44, 10, 96, 65, 100, 36, 88, 6, 40, 48, 92, 104, 71, 14, 75, 18,
    29,
];

#[test]
fn epochs_and_seeds_differ() {
    let lengths = [40, 50, 60, 30];
    let (mut two_epochs, _folder) = loader(&lengths, 0.0, config(4, 4, Order::Shuffled, 2));
    let batches = all(&mut two_epochs);
    let (first, second) = batches.split_at(batches.len() / 2);
    assert_ne!(first, second);
    let other_seed = LoaderConfig { seed: 6, ..config(4, 4, Order::Shuffled, 1) };
    let (mut other, _folder) = loader(&lengths, 0.0, other_seed);
    assert_ne!(first, all(&mut other));
}

#[test]
fn a_batch_mixes_documents() {
    let (mut loader, _folder) = loader(&[1000; 20], 0.0, config(10, 16, Order::Shuffled, 1));
    for (inputs, _) in all(&mut loader) {
        let documents: HashSet<u32> = inputs.iter().map(|token| token / 1000).collect();
        assert!(documents.len() >= 5, "{}", documents.len());
    }
}

#[test]
fn validation_windows_are_the_held_out_documents_in_file_order() {
    let (loader, _folder) = loader(&[10; 20], 0.3, config(8, 2, Order::Shuffled, 1));
    let split = Split::new(loader.corpus(), 0.3, 11).unwrap();
    assert_eq!(loader.validation_tokens(), 60);
    let expected: Vec<u32> =
        split.validation.iter().flat_map(|document| document * 10..document * 10 + 10).collect();
    assert_eq!(loader.validation_windows(), 59 / 8);
    let (mut inputs, mut targets) = ([0; 8], [0; 8]);
    for window in 0..7 {
        loader.validation(window, &mut inputs, &mut targets).unwrap();
        let first = window as usize * 8;
        assert_eq!(inputs, expected[first..first + 8]);
        assert_eq!(targets, expected[first + 1..first + 9]);
    }
    let error = loader.validation(7, &mut inputs, &mut targets).unwrap_err();
    assert!(matches!(
        error,
        TextError::Loader(LoaderError::OutOfRange { what: "window", index: 7, count: 7 })
    ));
}

#[test]
fn windows_seen_are_those_handed_out_in_the_first_epoch() {
    for order in [Order::Shuffled, Order::Sequential] {
        let (mut loader, _folder) = loader(&[30, 41, 52], 0.0, config(5, 3, order, 3));
        assert_eq!(loader.windows_seen(), 0);
        let mut handed_out = Vec::new();
        for step in 0..loader.steps_available() {
            let (inputs, _) = batch(&mut loader);
            if step < loader.steps_in_epoch() {
                handed_out.extend(inputs);
            }
            assert_eq!(loader.windows_seen() * 5, handed_out.len() as u64);
            for visit in 0..loader.windows_seen() {
                let (mut inputs, mut targets) = ([0; 5], [0; 5]);
                loader.seen(visit, &mut inputs, &mut targets).unwrap();
                assert_eq!(inputs, handed_out[visit as usize * 5..][..5]);
            }
        }
    }
}

#[test]
fn settings_and_buffers_that_do_not_fit_are_errors() {
    let open = |config: LoaderConfig, fraction| {
        let (corpus, _folder) = sample(&[10, 10, 10], 64);
        let split = Split::new(&corpus, fraction, 0).unwrap();
        Reader::new(corpus, split, config)
    };
    let good = config(4, 2, Order::Shuffled, 1);
    for config in [
        LoaderConfig { context: 0, ..good },
        LoaderConfig { sequences: 0, ..good },
        LoaderConfig { epochs: 0, ..good },
        LoaderConfig { context: usize::MAX, ..good },
    ] {
        assert!(matches!(open(config, 0.0), Err(TextError::Loader(LoaderError::Setting { .. }))));
    }
    let error = open(LoaderConfig { sequences: 8, ..good }, 0.0).unwrap_err();
    assert!(matches!(error, TextError::TooFewTrainingTokens { tokens: 30, windows: 7, .. }));
    let error = open(LoaderConfig { context: 10, sequences: 1, ..good }, 0.3).unwrap_err();
    assert!(matches!(error, TextError::TooFewValidationTokens { tokens: 10, context: 10 }));
    let mut loader = open(good, 0.3).unwrap();
    assert!(matches!(
        loader.next(&mut [0; 8], &mut [0; 4]),
        Err(TextError::BufferLength { expected: 8, .. })
    ));
    assert!(matches!(
        loader.validation(0, &mut [0; 8], &mut [0; 8]),
        Err(TextError::BufferLength { expected: 4, .. })
    ));
    for (epoch, cursor) in [(1, 1), (2, 0), (0, 5), (u64::MAX, 0), (0, u64::MAX)] {
        assert!(matches!(
            loader.seek(Position { epoch, cursor }),
            Err(TextError::Loader(LoaderError::Position { .. }))
        ));
    }
    assert_eq!(loader.position(), Position { epoch: 0, cursor: 0 });
}

fn shapes() -> impl Strategy<Value = (Vec<u64>, LoaderConfig)> {
    let lengths = prop::collection::vec(1u64..40, 2..20);
    let order = prop_oneof![Just(Order::Shuffled), Just(Order::Sequential)];
    (lengths, 1usize..9, 1usize..5, order, any::<u64>(), 1u64..4).prop_map(
        |(mut lengths, context, sequences, order, seed, epochs)| {
            // Enough for one batch whatever the shape.
            lengths.push(40);
            (lengths, LoaderConfig { context, sequences, order, seed, epochs })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Within an epoch no token is an input twice, no validation token is one at all, only the tail
    /// is left out, and every target follows its input, in its document or at the start of another.
    #[test]
    fn every_token_is_an_input_at_most_once_per_epoch((lengths, config) in shapes()) {
        let (corpus, _folder) = sample(&lengths, 53);
        let split = Split::new(&corpus, 0.0, 1).unwrap();
        let mut held_out = split.clone();
        held_out.validation = vec![held_out.training.remove(0)];
        for split in [split, held_out] {
            let is_whole = split.validation.is_empty();
            let last_tokens: HashSet<u32> = lengths.iter().scan(0, |end, length| { *end += *length as u32; Some(*end - 1) }).collect();
            let loader = Reader::new(corpus.clone(), split, config);
            if !is_whole && loader.is_err() {
                continue; // the document held out fills no window
            }
            let mut loader = loader.unwrap();
            for _ in 0..config.epochs {
                let mut seen = HashSet::new();
                for _ in 0..loader.steps_in_epoch() {
                    let (inputs, targets) = batch(&mut loader);
                    for (input, target) in inputs.into_iter().zip(targets) {
                        prop_assert!(seen.insert(input), "{input} twice");
                        prop_assert!(is_whole || u64::from(input) >= lengths[0]);
                        prop_assert!(target == input + 1 || last_tokens.contains(&input));
                    }
                }
                let batch_tokens = (config.context * config.sequences) as u64;
                prop_assert!(loader.training_tokens() - (seen.len() as u64) <= batch_tokens + config.context as u64);
            }
        }
    }

    /// Stopping anywhere and going on from the position gives the batches of the straight run.
    #[test]
    fn seeking_equals_reading_on((lengths, config) in shapes(), stop in any::<prop::sample::Index>()) {
        let (corpus, _folder) = sample(&lengths, 29);
        let split = Split::new(&corpus, 0.0, 1).unwrap();
        let mut straight = Reader::new(corpus.clone(), split.clone(), config).unwrap();
        let mut positions = Vec::new();
        let mut batches = Vec::new();
        for _ in 0..straight.steps_available() {
            positions.push(straight.position());
            batches.push(batch(&mut straight));
        }
        positions.push(straight.position());
        let stop = stop.index(positions.len());

        // From a fresh loader, and from one that stands elsewhere.
        let fresh = Reader::new(corpus, split, config).unwrap();
        for mut resumed in [fresh, straight] {
            resumed.seek(positions[stop]).unwrap();
            for expected in &batches[stop..] {
                prop_assert_eq!(&batch(&mut resumed), expected);
            }
            prop_assert_eq!(Some(&resumed.position()), positions.last());
            let size = config.context * config.sequences;
            prop_assert!(resumed.next(&mut vec![0; size], &mut vec![0; size]).is_err());
        }
    }

    /// The size of a batch does not change which windows are read, nor their order.
    #[test]
    fn the_batch_size_does_not_change_the_order((lengths, config) in shapes()) {
        let (corpus, _folder) = sample(&lengths, 64);
        let split = Split::new(&corpus, 0.0, 1).unwrap();
        let read = |sequences| {
            let config = LoaderConfig { sequences, epochs: 1, ..config };
            let mut loader = Reader::new(corpus.clone(), split.clone(), config).unwrap();
            all(&mut loader).into_iter().flat_map(|(inputs, _)| inputs).collect::<Vec<u32>>()
        };
        let (one, many) = (read(1), read(config.sequences));
        prop_assert_eq!(&one[..many.len()], &many[..]);
    }
}
