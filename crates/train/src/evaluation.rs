//! How well a classifier does on labelled images: loss, accuracy, calibration.

use wd_nn::ClassLoss;

/// Bins of the calibration error: M = 15, as in the experiments of Guo et al. 2017.
const BINS: usize = 15;

/// Gathers what a classifier said of images, batch by batch, in f64.
///
/// p = softmax(logits), whatever loss it was trained with; the prediction is the class of the
/// largest p, and that p is its confidence.
///
/// | score | equation |
/// |---|---|
/// | negative log-likelihood | −1/n Σ_i ln p_i\[label_i\], in nats |
/// | mean squared error | 1/(nK) Σ_i Σ_k (logit_ik − (1 for the label, else 0))² |
/// | loss | of these the one that was minimised, without label smoothing |
/// | accuracy | share of images whose prediction is their label |
/// | calibration error | Σ_m n_m/n · \|accuracy_m − mean confidence_m\| over 15 bins of confidence ((m − 1)/15, m/15\] |
///
/// **Source.** Guo, Pleiss, Sun & Weinberger 2017, "On Calibration of Modern Neural Networks",
/// equations 2, 3 and 5.
#[derive(Debug, Clone)]
pub(crate) struct Evaluation {
    minimised: ClassLoss,
    images: u64,
    negative_log_likelihood: f64,
    squared_error: f64,
    bins: [Bin; BINS],
    /// Images by their class and the one that they are taken for, a row a class; empty of more
    /// classes than are counted.
    confusion: Vec<u64>,
}

/// Classes up to which confusions are counted: more make a table that nobody reads.
const MOST_COUNTED: usize = 1000;

/// The predictions of about the same confidence.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    images: u64,
    correct: u64,
    confidence: f64,
}

impl Evaluation {
    /// Of a classifier that was trained to minimise this loss.
    pub(crate) fn new(minimised: ClassLoss) -> Self {
        Evaluation {
            minimised,
            images: 0,
            negative_log_likelihood: 0.0,
            squared_error: 0.0,
            bins: [Bin::default(); BINS],
            confusion: Vec::new(),
        }
    }

    /// Takes in a batch: `logits` holds a row of classes for each label.
    pub(crate) fn add(&mut self, logits: &[f32], labels: &[u32]) {
        let classes = logits.len() / labels.len().max(1);
        if classes <= MOST_COUNTED {
            self.confusion.resize(classes * classes, 0);
        }
        for (row, label) in logits.chunks_exact(classes).zip(labels) {
            let (mut best, mut largest) = (0, f64::NEG_INFINITY);
            for (class, logit) in row.iter().enumerate() {
                if f64::from(*logit) > largest {
                    (best, largest) = (class, f64::from(*logit));
                }
            }
            let total: f64 = row.iter().map(|logit| (f64::from(*logit) - largest).exp()).sum();
            let label = *label as usize;
            self.images += 1;
            if let Some(count) = self.confusion.get_mut(label * classes + best) {
                *count += 1;
            }
            self.negative_log_likelihood += total.ln() + largest - f64::from(row[label]);
            let squares = row.iter().enumerate().map(|(class, logit)| {
                let target = if class == label { 1.0 } else { 0.0 };
                (f64::from(*logit) - target).powi(2)
            });
            self.squared_error += squares.sum::<f64>() / classes as f64;
            let confidence = 1.0 / total;
            let index = (confidence * BINS as f64).ceil() as usize;
            let bin = &mut self.bins[index.clamp(1, BINS) - 1];
            bin.images += 1;
            bin.correct += u64::from(best == label);
            bin.confidence += confidence;
        }
    }

    /// The loss that was minimised, without label smoothing.
    pub(crate) fn loss(&self) -> f64 {
        match self.minimised {
            ClassLoss::CrossEntropy => self.negative_log_likelihood(),
            ClassLoss::MeanSquaredError => self.squared_error / self.images as f64,
        }
    }

    /// Mean negative log-likelihood, in nats.
    pub(crate) fn negative_log_likelihood(&self) -> f64 {
        self.negative_log_likelihood / self.images as f64
    }

    /// Share of right predictions.
    pub(crate) fn accuracy(&self) -> f64 {
        let correct: u64 = self.bins.iter().map(|bin| bin.correct).sum();
        correct as f64 / self.images as f64
    }

    /// How often the images of each class are taken for which; none where there are too many.
    pub(crate) fn confusion(&self) -> Option<Vec<Vec<u64>>> {
        let classes = self.confusion.len().isqrt();
        (classes > 0).then(|| self.confusion.chunks(classes).map(<[u64]>::to_vec).collect())
    }

    /// Expected calibration error.
    pub(crate) fn calibration_error(&self) -> f64 {
        let distance: f64 =
            self.bins.iter().map(|bin| (bin.correct as f64 - bin.confidence).abs()).sum();
        distance / self.images as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Evaluation {
        Evaluation::new(ClassLoss::default())
    }

    fn of(rows: &[(&[f32], u32)]) -> Evaluation {
        let mut evaluation = empty();
        for (logits, label) in rows {
            evaluation.add(logits, &[*label]);
        }
        evaluation
    }

    /// Logits of two classes for which the first has this probability.
    fn two(probability: f64) -> [f32; 2] {
        [(probability / (1.0 - probability)).ln() as f32, 0.0]
    }

    #[test]
    fn scores_are_those_computed_by_hand() {
        // Confidences 0.9 and 0.92 lie in one bin, (13/15, 14/15], 0.62 in another, (9/15, 10/15].
        let (nine, near, six) = (two(0.9), two(0.92), two(0.62));
        let evaluation = of(&[(&nine, 0), (&near, 1), (&six, 0), (&six, 1)]);
        let loss = -(0.9f64.ln() + 0.08f64.ln() + 0.62f64.ln() + 0.38f64.ln()) / 4.0;
        assert!((evaluation.loss() - loss).abs() < 1e-6);
        assert_eq!(evaluation.accuracy(), 0.5);
        // |1 − 1.82| and |1 − 1.24|, over 4 images.
        let error = (0.82 + 0.24) / 4.0;
        assert!((evaluation.calibration_error() - error).abs() < 1e-6);
    }

    #[test]
    fn the_loss_is_the_one_that_was_minimised() {
        let mut evaluation = Evaluation::new(ClassLoss::MeanSquaredError);
        evaluation.add(&[0.5, 0.25, 1.0, -1.0], &[0, 0]);
        // ((0.5 − 1)² + 0.25² + 0 + 1) / 4.
        assert_eq!(evaluation.loss(), (0.25 + 0.0625 + 1.0) / 4.0);
        let mut evaluation = Evaluation::new(ClassLoss::CrossEntropy);
        evaluation.add(&[0.0, 0.0], &[1]);
        assert_eq!(evaluation.loss(), 2f64.ln());
        assert_eq!(evaluation.negative_log_likelihood(), 2f64.ln());
    }

    #[test]
    fn batches_add_up() {
        let logits = [0.3f32, -1.0, 2.0, 0.1, 0.2, 0.0];
        let mut whole = empty();
        whole.add(&logits, &[2, 0]);
        let parts = of(&[(&logits[..3], 2), (&logits[3..], 0)]);
        assert_eq!(whole.loss(), parts.loss());
        assert_eq!(whole.accuracy(), 0.5);
        assert_eq!(whole.calibration_error(), parts.calibration_error());
    }

    #[test]
    fn confusions_are_counted_by_class() {
        let (first, second) = (two(0.9), two(0.2));
        let evaluation = of(&[(&first, 0), (&first, 1), (&second, 1), (&first, 1)]);
        assert_eq!(evaluation.confusion().unwrap(), [[1, 0], [2, 1]]);
        assert_eq!(empty().confusion(), None);
    }

    #[test]
    fn certainty_is_no_overflow() {
        let evaluation = of(&[(&[1e4, 0.0, -1e4], 0), (&[1e4, 0.0, -1e4], 1)]);
        assert_eq!(evaluation.loss(), 5e3);
        assert_eq!(evaluation.calibration_error(), 0.5);
    }

    #[test]
    fn equal_logits_are_calibrated_where_every_class_is_as_frequent() {
        let even = [1.5f32; 4];
        let evaluation = of(&[(&even, 0), (&even, 1), (&even, 2), (&even, 3)]);
        assert!((evaluation.loss() - 4f64.ln()).abs() < 1e-12);
        assert_eq!(evaluation.accuracy(), 0.25);
        assert_eq!(evaluation.calibration_error(), 0.0);
    }

    #[test]
    fn diverged_logits_give_no_number_and_no_panic() {
        let evaluation = of(&[(&[f32::NAN, 1.0], 0), (&[0.0, 0.0], 0)]);
        assert!(evaluation.loss().is_nan());
    }
}
