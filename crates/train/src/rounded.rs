//! The weights of a run, rounded to integers of few bits: what they lose.

use wd_decay::Role;
use wd_nn::ParameterLayout;
use wd_store::{RoundedLoss, RunDirectory};

use crate::{
    checkpoint, config::ConfigSource, error::TrainError, plan::RunPlan, task::Task,
    weights::Weights,
};

/// Validation loss (of images: test loss) of the weights in the last checkpoint of a run, each row
/// of a weight matrix rounded to integers of `bits` bits.
///
/// With q = 2^(bits − 1) − 1 and m the largest |w| of a row, w becomes round(wq/m)·m/q: to nearest,
/// symmetric about 0, a scale a row, as weights are often deployed. Gains and biases stay as they
/// are.
///
/// | argument | range |
/// |---|---|
/// | `bits` | 2 to 16 |
///
/// # Errors
/// [`TrainError::RoundingBits`] for other bits; a run without a checkpoint, or whose data are
/// missing.
pub fn evaluate_rounded(directory: &RunDirectory, bits: u8) -> Result<RoundedLoss, TrainError> {
    if !(2..=16).contains(&bits) {
        return Err(TrainError::RoundingBits { bits });
    }
    let name = directory.config_path().display().to_string();
    let plan = RunPlan::new(ConfigSource::parse(&name, directory.read_config()?)?)?;
    let checkpoint = checkpoint::of(directory, None)?;
    let (mut parameters, running) = checkpoint::weights(&plan, &checkpoint)?;
    round(&mut parameters, &plan.layout, bits);
    let mut task = Task::open(&plan, rayon::current_num_threads())?;
    let scores = task.evaluate(Weights { parameters: &parameters, running: &running })?;
    let loss = scores.iter().find(|(name, _)| *name == "validation_loss").map(|(_, loss)| *loss);
    let loss =
        loss.ok_or_else(|| TrainError::NothingHeldOut { directory: directory.path().to_owned() })?;
    Ok(RoundedLoss { step: checkpoint.step, bits, loss })
}

/// Rounds the rows of every weight matrix.
fn round(parameters: &mut [f32], layout: &ParameterLayout, bits: u8) {
    for segment in &layout.segments {
        let [rows, _, ..] = segment.shape[..] else { continue };
        if !Role::WEIGHTS.contains(&segment.role) || rows == 0 {
            continue;
        }
        let values = &mut parameters[segment.range()];
        let row = values.len() / rows;
        if row > 0 {
            values.chunks_mut(row).for_each(|row| round_row(row, bits));
        }
    }
}

/// round(wq/m)·m/q of every w of a row.
fn round_row(row: &mut [f32], bits: u8) {
    let largest = row.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return;
    }
    let levels = ((1u32 << (bits - 1)) - 1) as f32;
    for weight in row {
        *weight = (*weight * (levels / largest)).round() * (largest / levels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_rounded_to_its_own_scale() {
        let mut row = [1.0, -0.4, 0.1, 0.0];
        round_row(&mut row, 3);
        // Levels −3 … 3 of 1/3.
        let expected = [1.0, -1.0 / 3.0, 0.0, 0.0];
        assert!(row.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6));
        let mut fine = [0.9f32, -0.41, 0.123];
        round_row(&mut fine, 16);
        assert!(fine.iter().zip([0.9, -0.41, 0.123]).all(|(a, b)| (a - b as f32).abs() < 2e-5));
        let mut zero = [0.0f32; 3];
        round_row(&mut zero, 4);
        assert_eq!(zero, [0.0; 3]);
    }
}
