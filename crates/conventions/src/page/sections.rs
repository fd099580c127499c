//! An explanation in words.

use super::number::left;
use crate::explanation::{EquilibriumPrediction, PredictedEquilibrium, PriorInterpretation};
use crate::{Explanation, Quantity};
use wd_decay::{Declared, Run};
use wd_page::number::{amount, of_the_run, share, short};
use wd_page::words::capitalised;
use wd_page::{Content, Section, counted};

impl Explanation {
    /// The explanation in words.
    pub(super) fn sections(&self) -> Vec<Section> {
        let mut beware = self.to_beware_of();
        beware.contents.extend(self.remarks.iter().cloned().map(Content::Paragraph));
        let mut sections = vec![
            Section::new("step", "The step", self.step()),
            Section::new("run", "Over the run", self.over_the_run()),
            Section::new("norm", "Where the norm goes", self.norm()),
            Section::new("prior", "As a prior", self.as_a_prior()),
            beware,
        ];
        sections.retain(|section| !section.contents.is_empty());
        sections
    }

    /// The warnings and what to do about each; without contents where there are none.
    pub fn to_beware_of(&self) -> Section {
        let warnings = self.warnings.iter();
        let warnings = warnings
            .map(|warning| Content::Warning { reason: warning.reason(), fix: warning.fix() });
        Section::new("beware", "To beware of", warnings.collect())
    }

    fn step(&self) -> Vec<Content> {
        let mut lines = vec![Content::Formulas(self.equation.clone())];
        lines.push(Content::fact("decays", self.decayed.clone()));
        lines
    }

    fn over_the_run(&self) -> Vec<Content> {
        let mut lines = Vec::new();
        let mut fact = |name: &str, value: String| lines.push(Content::fact(name, value));
        let run = &self.run;
        // A precision or a `C` is never called λ; what is λ already is said once.
        let is_step = self.rule.is_some();
        if is_step && self.lambda_itself == Some(self.lambda.value) {
            fact("λ", stated(self.lambda));
        } else {
            fact(&self.lambda_name, stated(self.lambda));
            fact(
                "λ",
                match (self.lambda_itself, is_step) {
                    (Some(lambda), true) => format!("{}, the coefficient of λw", short(lambda)),
                    (Some(lambda), false) => {
                        format!("{}, of (λ/2)‖w‖² beside the summed loss", short(lambda))
                    }
                    (None, _) => "needs data=…, the number of data points".to_owned(),
                },
            );
        }
        if let Some(rate) = run.peak_learning_rate {
            fact("learning rate", stated(rate));
        }
        if let Some(steps) = run.steps {
            let noun = run.unit.words().trim_end_matches('s');
            let mut text = counted(amount(steps as f64), "step");
            if let Some(batch) = run.batch {
                text += &format!(" of {}", counted(amount(batch), noun));
            }
            if let Some(total) = run.total {
                let total = match total {
                    1e6.. => Quantity::new(total, None).to_string(),
                    _ => amount(total),
                };
                text += &format!(" = {}", counted(total, noun));
            }
            if let Some(epochs) = run.epochs {
                text += &format!(" = {}", counted(short(epochs), "epoch"));
            }
            fact("length", text);
        }
        if let Some(ratio) = self.tokens_per_parameter {
            fact("tokens per parameter", short(ratio));
        }
        if let Some(shrink) = self.peak_shrink {
            // Of the first step of a warm-up trainers differ: t/W begins at 0, (t + 1)/(W + 1) not.
            let last = self.trajectory.as_ref().and_then(|found| found.points.last()?.shrink);
            let mut text = format!("{} a step at the peak", short(shrink));
            if let Some(last) = last.filter(|_| run.schedule.is_some()) {
                text += &format!(", {} in the last", short(last));
            }
            fact("shrink s", text);
        }
        let timescale = self.timescale;
        if let (Some(kappa), Some(share)) = (timescale.kappa, timescale.initial_share) {
            let remains = match share.abs() {
                // Steps that take off more than twice the weight.
                grown if grown > 1.0 && grown.is_finite() => {
                    format!("the initial weights grow {}-fold", short(grown))
                }
                grown if grown > 1.0 => "the initial weights grow without bound".to_owned(),
                _ => format!("{} of the initial weights is left", left(share)),
            };
            fact("κ = Σ s", format!("{}: {remains}", short(kappa)));
        }
        if let Some(tau) = timescale.tau_steps {
            let mut text = counted(amount(tau), "step");
            if let Some(fraction) = timescale.tau_fraction {
                text += &format!(" = {}", of_the_run(fraction));
            }
            if let Some(epochs) = timescale.tau_epochs {
                text += &format!(" = {}", counted(short(epochs), "epoch"));
            }
            fact("τ = 1/s", text);
        }
        if let Some(memory) = &self.memory {
            let last = format!("{} of what the final weights hold", share(memory.last_tenth));
            lines.push(Content::fact("the last tenth", last));
            let wide = share(memory.effective_share);
            let text =
                format!("the final weights hold as much as an even average over {wide} of the run");
            lines.push(Content::fact("the data", text));
        }
        if let Some(missing) = self.missing() {
            lines.push(Content::Paragraph(missing));
        }
        lines
    }

    /// What would let more be said of the run.
    fn missing(&self) -> Option<String> {
        let estimator = matches!(&self.equilibrium, EquilibriumPrediction::Unknown { .. })
            && self.peak_shrink.is_none()
            && self.run.peak_learning_rate.is_none()
            && self.trajectory.is_none()
            && self.run.steps.is_none();
        let mut missing = Vec::new();
        if self.run.peak_learning_rate.is_none() && !estimator {
            missing.push("lr=…");
        }
        let Run { epochs, batch, data_points, .. } = &self.run;
        if self.run.steps.is_none() && !estimator {
            // What was given already says which of the ways to a number of steps is nearest.
            missing.push(match (epochs, batch, data_points) {
                (Some(_), Some(_), None) => {
                    "data=…, the distinct data points: with the epochs and the batch they give the \
                     steps"
                }
                (Some(_), None, Some(_)) => {
                    "batch=…: with the epochs and the data it gives the steps"
                }
                (None, Some(_), Some(_)) => {
                    "epochs=…: with the data and the batch they give the steps"
                }
                _ => "steps=… (or tokens=… and batch=…)",
            });
        }
        if self.run.schedule.is_none() && self.run.steps.is_some() {
            missing.push("schedule=…, without which the learning rate is taken as constant");
        }
        let idle = self.not_used();
        let more = format!("More with {}.", missing.join(", "));
        match (missing.is_empty(), idle.is_empty()) {
            (true, _) => None,
            (false, true) => Some(more),
            (false, false) => Some(format!("{more} Without it not used: {}.", idle.join(", "))),
        }
    }

    /// What was said of the run and says nothing without its number of steps.
    fn not_used(&self) -> Vec<String> {
        let run = &self.run;
        if run.steps.is_some() {
            return Vec::new();
        }
        let numbers = [("epochs", run.epochs), ("batch", run.batch)];
        let schedule = run.unsized_schedule.map(|(kind, _)| format!("schedule={kind}"));
        let numbers = numbers
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", amount(value?))));
        numbers.chain(schedule).collect()
    }

    fn norm(&self) -> Vec<Content> {
        let mut lines = match &self.equilibrium {
            EquilibriumPrediction::Unknown { reason } => {
                vec![Content::Paragraph(format!("{}.", capitalised(reason)))]
            }
            EquilibriumPrediction::Known(equilibrium) => self.equilibrium(equilibrium),
        };
        if let Some(trajectory) = &self.trajectory
            && let Some(rms) = trajectory.last().and_then(|last| last.rms)
        {
            let start = short(trajectory.initial_rms.value);
            let whose = match trajectory.initial_rms.default {
                true => " (GPT-2's; say init_std=…)",
                false => "",
            };
            let text =
                format!("from {start}{whose} to {} at the end, by the norm recursion", short(rms));
            lines.push(Content::fact("predicted RMS", text));
        }
        if let EquilibriumPrediction::Known(equilibrium) = &self.equilibrium {
            let needs = equilibrium.needs.as_ref();
            lines.extend(needs.map(|needs| Content::Paragraph(format!("More with {needs}."))));
            lines.push(Content::Paragraph(format!("{}.", equilibrium.holds)));
        }
        lines
    }

    fn equilibrium(&self, equilibrium: &PredictedEquilibrium) -> Vec<Content> {
        let mut lines = vec![Content::Formulas(vec![equilibrium.formula.clone()])];
        let mut fact = |name: &str, value: String| lines.push(Content::fact(name, value));
        match (equilibrium.rms, equilibrium.rms_per_gradient_rms) {
            (Some(rms), _) => fact("equilibrium RMS", short(rms)),
            (None, Some(ratio)) => fact(
                "equilibrium RMS",
                format!("{} × √E[g²], the RMS of a gradient's coordinate", short(ratio)),
            ),
            (None, None) => {}
        }
        if let Some(ratio) = equilibrium.norm_per_root_of_unit_gradient {
            fact(
                "if scale-invariant",
                format!("‖w‖ = {} × √‖g̃‖, with g̃ the gradient at unit norm", short(ratio)),
            );
        }
        fact(
            "angle a step",
            format!(
                "{} rad = {}°",
                short(equilibrium.angle),
                short(equilibrium.angle.to_degrees())
            ),
        );
        fact(
            "as hyperball",
            format!(
                "norms held, with a learning rate of {}, turn as fast",
                short(equilibrium.angle.tan())
            ),
        );
        let mut relaxation = format!(
            "the difference falls by e, 2.7 times, in {} at the peak rate",
            counted(amount(equilibrium.relaxation_steps), "step")
        );
        if let Some(share) = self.timescale.initial_share {
            relaxation +=
                &format!("; at the end {} of the initial mean square is left", left(share * share));
        }
        fact("on the way", relaxation);
        if let Some(bound) = &equilibrium.bound {
            fact("bound at rest", bound.clone());
        }
        lines
    }

    fn as_a_prior(&self) -> Vec<Content> {
        match &self.prior {
            PriorInterpretation::Prior { derivation, .. } => {
                derivation.iter().cloned().map(Content::Paragraph).collect()
            }
            PriorInterpretation::Needs { missing } => vec![Content::Paragraph(format!(
                "It is a Gaussian prior N(0, σ²) with 1/σ² = λN for a mean loss; add {missing}."
            ))],
            PriorInterpretation::NoPrior { reason, instead } => {
                let mut lines =
                    vec![Content::Paragraph(format!("Not a Gaussian prior: {reason}."))];
                lines.extend(
                    instead
                        .iter()
                        .map(|line| Content::Paragraph(format!("{}.", capitalised(line)))),
                );
                lines
            }
        }
    }
}

fn stated(value: Declared) -> String {
    let default = if value.default { " (the library's default)" } else { "" };
    format!("{}{default}", short(value.value))
}
