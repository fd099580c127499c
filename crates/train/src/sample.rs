//! What a language model writes: tokens drawn from the weights of a run, one after the other.

use serde::Serialize;
use wd_data::text::{Corpus, Decoder};
use wd_nn::Gpt;
use wd_page::{Content, Section, number};
use wd_store::RunDirectory;

use crate::{
    checkpoint,
    config::{ConfigSource, ModelConfig},
    error::TrainError,
    plan::RunPlan,
};

/// How text is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleOptions {
    /// Tokens to draw, the prompt not counted.
    pub tokens: usize,
    /// What the logits are divided by: 1 draws from the model's own distribution, 0 takes the
    /// likeliest token.
    pub temperature: f64,
    /// The seed of the draws.
    pub seed: u64,
    /// The text that is continued; absent: the beginning of a document.
    pub prompt: Option<String>,
    /// Step of the checkpoint; absent: the last.
    pub step: Option<u64>,
}

impl Default for SampleOptions {
    fn default() -> Self {
        SampleOptions { tokens: 200, temperature: 0.8, seed: 0, prompt: None, step: None }
    }
}

/// A text that a run's model wrote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// Steps done by the weights.
    pub step: u64,
    /// The prompt, as it was tokenised.
    pub prompt: String,
    /// What follows it.
    pub text: String,
}

impl Sample {
    /// The text as a section of the run's page.
    pub fn section(&self) -> Section {
        let heading = format!("What it writes after {} steps", number::count(self.step));
        let paragraphs = self.text.split('\n').map(str::trim).filter(|line| !line.is_empty());
        let mut contents: Vec<Content> =
            paragraphs.map(|line| Content::Paragraph(line.to_owned())).collect();
        if contents.is_empty() {
            contents.push(Content::Absent("It ended its text at once.".to_owned()));
        }
        let section = Section::full("sample", "What it writes", contents);
        Section { heading, ..section }
    }
}

/// Draws text from the weights in a checkpoint of a run on text.
///
/// The same options give the same text, whatever the number of threads.
///
/// # Errors
/// A run on images, one without a checkpoint, a corpus that is missing, a temperature that is
/// negative or not finite, a prompt that the tokenizer cannot write.
pub fn sample(directory: &RunDirectory, options: &SampleOptions) -> Result<Sample, TrainError> {
    if !(options.temperature.is_finite() && options.temperature >= 0.0) {
        return Err(TrainError::Temperature { temperature: options.temperature });
    }
    let name = directory.config_path().display().to_string();
    let plan = RunPlan::new(ConfigSource::parse(&name, directory.read_config()?)?)?;
    let ModelConfig::Gpt(config) = &plan.model else {
        return Err(TrainError::OnImages { directory: directory.path().to_owned() });
    };
    let corpus = Corpus::open(&plan.source.config.data.path)?;
    let decoder = corpus.decoder()?;
    let checkpoint = checkpoint::of(directory, options.step)?;
    let (parameters, _) = checkpoint::weights(&plan, &checkpoint)?;
    let mut gpt: Gpt<f32> = Gpt::new(config.clone(), 1, 1)?;

    let end = corpus.sidecar().end_of_document;
    let mut tokens = vec![end];
    if let Some(prompt) = &options.prompt {
        tokens.extend(decoder.encode(prompt).ok_or(TrainError::Prompt)?);
    }
    let begun = tokens.len();
    for index in 0..options.tokens {
        let context = &tokens[tokens.len().saturating_sub(config.context)..];
        let logits = gpt.next_token_logits(&parameters, context)?;
        let next = draw(&logits, options.temperature, uniform(options.seed, index as u64));
        // The model has ended its text.
        if next == end {
            break;
        }
        tokens.push(next);
    }
    let text = |tokens: &[u32]| Decoder::decode(&decoder, tokens);
    Ok(Sample {
        step: checkpoint.step,
        prompt: text(&tokens[1..begun]),
        text: text(&tokens[begun..]),
    })
}

/// The token below whose place the share `at` of the distribution lies.
fn draw(logits: &[f32], temperature: f64, at: f64) -> u32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if temperature == 0.0 {
        return logits.iter().position(|logit| *logit == largest).unwrap_or(0) as u32;
    }
    let weight = |logit: &f32| (f64::from(logit - largest) / temperature).exp();
    let total: f64 = logits.iter().map(weight).sum();
    let mut left = at * total;
    for (token, logit) in logits.iter().enumerate() {
        left -= weight(logit);
        if left < 0.0 {
            return token as u32;
        }
    }
    // Rounding has left a rest: the last token that has any weight.
    logits.iter().rposition(|logit| weight(logit) > 0.0).unwrap_or(0) as u32
}

/// A number in [0, 1) that is a function of seed and place: SplitMix64.
fn uniform(seed: u64, index: u64) -> f64 {
    let mut bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index.wrapping_add(1);
    for multiplier in [0x9e37_79b9_7f4a_7c15_u64, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        bits = (bits ^ (bits >> 30)).wrapping_mul(multiplier);
    }
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_distribution_of_the_logits() {
        // e⁰ : e¹ : e⁻⁴ beside each other.
        let logits = [0.0, 1.0, -4.0f32];
        let mut counts = [0u32; 3];
        for index in 0..40_000 {
            counts[draw(&logits, 1.0, uniform(3, index)) as usize] += 1;
        }
        let total: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
        for (count, logit) in counts.iter().zip(logits) {
            let expected = f64::from(logit).exp() / total;
            let error = (expected * (1.0 - expected) / 40_000.0).sqrt();
            let found = f64::from(*count) / 40_000.0;
            assert!((found - expected).abs() < 5.0 * error, "{found} {expected}");
        }
    }

    #[test]
    fn no_temperature_takes_the_likeliest() {
        assert_eq!(draw(&[0.3, 2.0, 1.9], 0.0, 0.99), 1);
        assert_eq!(draw(&[f32::NAN; 3], 1.0, 0.5), 0);
    }
}
