//! A run as typed, and the checks that turn it into a [`Run`].

use crate::{ConventionError, DeclaredSchedule, Quantity};
use wd_decay::{Declared, Dtype, Loss, Reduction, Run, Spared, Unit, names};

/// Most steps of a run. The longest public runs have some millions; sums over a schedule that is
/// not summed in closed form take seconds here.
const MOST_STEPS: u64 = 1_000_000_000;

/// A run as declared, before anything is checked: one optional text per key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunDeclaration {
    schedule: Option<DeclaredSchedule>,
    lambda_schedule: Option<DeclaredSchedule>,
    steps: Option<Quantity>,
    batch: Option<Quantity>,
    total: Option<Quantity>,
    data: Option<Quantity>,
    epochs: Option<Quantity>,
    context: Option<Quantity>,
    accumulation: Option<Quantity>,
    devices: Option<Quantity>,
    parameters: Option<Quantity>,
    width: Option<Quantity>,
    outputs: Option<Quantity>,
    init_std: Option<f64>,
    gradient_rms: Option<f64>,
    response_std: Option<f64>,
    noise_std: Option<f64>,
    reduction: Option<Reduction>,
    loss: Option<Loss>,
    dtype: Option<Dtype>,
    spares: Option<Spared>,
    /// Peak learning rate, by whichever key the library has for it.
    pub peak_learning_rate: Option<Declared>,
}

impl RunDeclaration {
    /// The keys that [`RunDeclaration::set`] takes, with what they mean.
    pub const KEYS: [(&'static str, &'static str); 23] = [
        ("schedule", "learning-rate schedule: cosine,warmup=400,floor=0.1"),
        ("lambda_schedule", "schedule of λ itself: points,points=0:0.1/1:1:cosine"),
        ("steps", "optimizer steps: 50000, 5ep"),
        ("batch", "data points a step: 65536tok, 256seq, 128img"),
        ("tokens", "tokens trained on: 3.28B, 5ep"),
        ("images", "images trained on: 384M, 300ep"),
        ("examples", "data points trained on, of any other kind"),
        ("data", "distinct data points N: 9Btok, 1.28Mimg, 60000"),
        ("epochs", "passes over the data: 1, 0.36"),
        ("context", "tokens in a sequence"),
        ("accumulation", "batches whose gradients make one step"),
        ("devices", "devices, each of which has a batch of its own"),
        ("params", "parameters of the model: 124M"),
        ("width", "width of the model"),
        ("outputs", "outputs D of a regression"),
        ("init_std", "standard deviation of the initial weights"),
        ("gradient_rms", "root mean square of a coordinate of the gradient"),
        ("response_std", "standard deviation of y (divided by N, not N − 1)"),
        ("noise_std", "standard deviation of the noise of a regression"),
        ("reduction", "mean or sum: how the loss joins data points"),
        ("loss", "nll, mse (no ½) or half-mse"),
        ("dtype", "f32 or bf16: format of the weights updated"),
        ("spares", "norms or norms,embeddings: tensors that do not decay; biases go with norms"),
    ];

    /// Whether `key` is one of [`RunDeclaration::KEYS`].
    pub fn has(key: &str) -> bool {
        RunDeclaration::KEYS.iter().any(|(name, _)| *name == key)
    }

    /// Takes `key=text`.
    ///
    /// # Errors
    /// Unknown key, a text that is no such value, a unit that does not belong there.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), ConventionError> {
        let amount = |units: &[Unit], implied: Option<Unit>| -> Result<Quantity, ConventionError> {
            let mut quantity: Quantity = text.parse()?;
            quantity.unit = quantity.unit.or(implied);
            let fits = quantity.unit.is_none_or(|unit| units.contains(&unit));
            if !fits {
                let known: Vec<&str> = units.iter().map(|unit| unit.name()).collect();
                return Err(ConventionError::InvalidSetting {
                    key: key.to_owned(),
                    given: text.to_owned(),
                    reason: match known.as_slice() {
                        [] => "it has no unit".to_owned(),
                        known => format!("its unit must be one of {}", known.join(", ")),
                    },
                });
            }
            if quantity.value <= 0.0 {
                return Err(ConventionError::InvalidSetting {
                    key: key.to_owned(),
                    given: text.to_owned(),
                    reason: "it must be positive".to_owned(),
                });
            }
            Ok(quantity)
        };
        const POINTS: [Unit; 4] = [Unit::Token, Unit::Sequence, Unit::Image, Unit::Example];
        match key {
            "schedule" => self.schedule = Some(text.parse()?),
            "lambda_schedule" => self.lambda_schedule = Some(text.parse()?),
            "steps" => self.steps = Some(amount(&[Unit::Step, Unit::Epoch], None)?),
            "batch" => self.batch = Some(amount(&POINTS, None)?),
            "tokens" => {
                self.set_total(key, text, amount(&[Unit::Token, Unit::Epoch], Some(Unit::Token))?)?
            }
            "images" => {
                self.set_total(key, text, amount(&[Unit::Image, Unit::Epoch], Some(Unit::Image))?)?
            }
            "examples" => self.set_total(
                key,
                text,
                amount(&[Unit::Example, Unit::Epoch], Some(Unit::Example))?,
            )?,
            "data" => self.data = Some(amount(&POINTS, None)?),
            "epochs" => self.epochs = Some(amount(&[Unit::Epoch], None)?),
            "context" => self.context = Some(amount(&[Unit::Token], None)?),
            "accumulation" => self.accumulation = Some(amount(&[], None)?),
            "devices" => self.devices = Some(amount(&[], None)?),
            "params" => self.parameters = Some(amount(&[], None)?),
            "width" => self.width = Some(amount(&[], None)?),
            "outputs" => self.outputs = Some(amount(&[], None)?),
            "init_std" => self.init_std = Some(amount(&[], None)?.value),
            "gradient_rms" => self.gradient_rms = Some(amount(&[], None)?.value),
            "response_std" => self.response_std = Some(amount(&[], None)?.value),
            "noise_std" => self.noise_std = Some(amount(&[], None)?.value),
            "reduction" => self.reduction = Some(names::find("reduction", text)?),
            "loss" => self.loss = Some(names::find("loss", text)?),
            "dtype" => self.dtype = Some(names::find("dtype", text)?),
            "spares" => self.spares = Some(names::find("set of tensors", text)?),
            _ => {
                return Err(ConventionError::UnknownKey {
                    entry: "a run".to_owned(),
                    given: key.to_owned(),
                    nearest: names::nearest(key, RunDeclaration::KEYS.map(|(name, _)| name)),
                });
            }
        }
        Ok(())
    }

    fn set_total(&mut self, key: &str, text: &str, total: Quantity) -> Result<(), ConventionError> {
        if self.total.is_some() {
            return Err(ConventionError::InvalidSetting {
                key: key.to_owned(),
                given: text.to_owned(),
                reason: "only one of tokens, images and examples can be given".to_owned(),
            });
        }
        self.total = Some(total);
        Ok(())
    }

    /// Checks the numbers against each other and derives the absent ones.
    ///
    /// # Errors
    /// [`ConventionError::Inconsistent`] where steps × batch is not the total, or epochs × data is
    /// not, by more than the way they were written allows; [`ConventionError::Missing`] where
    /// sequences meet tokens without a `context`; whatever the schedule refuses.
    pub fn resolve(self) -> Result<Run, ConventionError> {
        let context = self.context.map(|context| context.count("context")).transpose()?;
        let in_tokens = |quantity: Quantity| match (quantity.unit, context) {
            (Some(Unit::Sequence), Some(context)) => Quantity {
                value: quantity.value * context as f64,
                unit: Some(Unit::Token),
                half_digit: quantity.half_digit * context as f64,
            },
            _ => quantity,
        };
        let mut batch = self.batch.map(in_tokens);
        for (key, several) in [("accumulation", self.accumulation), ("devices", self.devices)] {
            let Some(several) = several else { continue };
            let several = several.count(key)? as f64;
            let Some(one) = batch else {
                return Err(ConventionError::Missing {
                    needed_for: format!("{key}={several}"),
                    missing: "batch=…, the data points of one of them".to_owned(),
                });
            };
            batch = Some(Quantity {
                value: one.value * several,
                half_digit: one.half_digit * several,
                ..one
            });
        }
        let mut data = self.data.map(in_tokens);
        let mut total = self.total;
        let mut epochs = self.epochs;
        let mut steps = self.steps;
        // `tokens=5ep` and `steps=5ep` are epochs by another key.
        for given in [&mut total, &mut steps] {
            if given.is_some_and(|given| given.unit == Some(Unit::Epoch)) {
                if epochs.is_some() {
                    return Err(ConventionError::InvalidSetting {
                        key: "epochs".to_owned(),
                        given: given.map(|given| given.to_string()).unwrap_or_default(),
                        reason: "the epochs are given twice".to_owned(),
                    });
                }
                epochs = given.take();
            }
        }
        let unit = [total, data, batch]
            .into_iter()
            .flatten()
            .find_map(|quantity| quantity.unit)
            .unwrap_or(Unit::Example);
        for (key, quantity) in [("batch", &mut batch), ("data", &mut data)] {
            if let Some(quantity) = quantity {
                let own = *quantity.unit.get_or_insert(unit);
                if own != unit {
                    return Err(match own {
                        Unit::Sequence => ConventionError::Missing {
                            needed_for: format!("{key} = {quantity} beside {}", unit.words()),
                            missing: "context=…, the tokens in a sequence".to_owned(),
                        },
                        _ => ConventionError::InvalidSetting {
                            key: key.to_owned(),
                            given: quantity.to_string(),
                            reason: format!("the rest of the run is counted in {}", unit.words()),
                        },
                    });
                }
            }
        }

        let product = |left: Option<Quantity>, right: Option<Quantity>| {
            let (left, right) = (left?, right?);
            let value = left.value * right.value;
            let precision = left.relative_precision() + right.relative_precision();
            Some(Quantity { value, unit: Some(unit), half_digit: value * precision })
        };
        let by_steps = product(steps, batch);
        let by_epochs = product(epochs, data);
        for (computed, how) in [(by_steps, "steps × batch"), (by_epochs, "epochs × data")] {
            if let (Some(total), Some(computed)) = (total, computed) {
                agree("the total", total, how, computed)?;
            }
        }
        if let (None, Some(by_steps), Some(by_epochs)) = (total, by_steps, by_epochs) {
            agree("steps × batch", by_steps, "epochs × data", by_epochs)?;
        }
        let total = total.or(by_steps).or(by_epochs).map(|total| total.value);
        let over = |total: Option<f64>, by: Option<Quantity>| Some(total? / by?.value);
        let steps = match steps {
            Some(steps) => Some(steps.count("steps")?),
            // The last, incomplete batch is no step.
            None => over(total, batch).map(|steps| (steps.floor() as u64).max(1)),
        };
        if let Some(steps) = steps.filter(|steps| *steps > MOST_STEPS) {
            return Err(ConventionError::InvalidSetting {
                key: "steps".to_owned(),
                given: steps.to_string(),
                reason: format!(
                    "no run has more than {MOST_STEPS}: check the units of the total and the batch"
                ),
            });
        }
        let batch = batch
            .map(|batch| batch.value)
            .or(over(total, steps.map(|steps| Quantity::new(steps as f64, None))));
        let data_points = data.map(|data| data.value).or(over(total, epochs));
        let epochs = epochs.map(|epochs| epochs.value).or(over(total, data));
        let steps_per_epoch = data_points.zip(batch).map(|(data, batch)| data / batch);
        let schedule = match (self.schedule, steps) {
            (Some(declared), Some(steps)) => Some(declared.over(steps, steps_per_epoch)?),
            _ => None,
        };
        let lambda_schedule = match (self.lambda_schedule, steps) {
            (Some(declared), Some(steps)) => Some(declared.over(steps, steps_per_epoch)?),
            (Some(_), None) => {
                return Err(ConventionError::Missing {
                    needed_for: "a schedule of λ".to_owned(),
                    missing: "steps=…, over which it goes".to_owned(),
                });
            }
            (None, _) => None,
        };
        Ok(Run {
            peak_learning_rate: self.peak_learning_rate,
            schedule,
            lambda_schedule,
            unsized_schedule: (self.schedule.filter(|_| steps.is_none()))
                .map(|schedule| (schedule.kind, schedule.floor)),
            steps,
            unit,
            batch,
            total,
            data_points,
            epochs,
            context,
            parameters: self.parameters.map(|count| count.count("params")).transpose()?,
            width: self.width.map(|count| count.count("width")).transpose()?,
            outputs: self.outputs.map(|count| count.count("outputs")).transpose()?,
            init_std: self.init_std,
            gradient_rms: self.gradient_rms,
            response_std: self.response_std,
            noise_std: self.noise_std,
            reduction: self.reduction,
            loss: self.loss,
            dtype: self.dtype.unwrap_or(Dtype::F32),
            spares: self.spares,
        })
    }
}

/// Refuses two numbers for one amount that differ by more than they were rounded.
fn agree(
    name: &str,
    stated: Quantity,
    how: &str,
    computed: Quantity,
) -> Result<(), ConventionError> {
    // A run ends within its last batch, and people round counts to a whole: a thousandth is no
    // contradiction.
    const ROUNDING: f64 = 1e-3;
    let apart = (stated.value - computed.value).abs() / computed.value;
    if apart <= ROUNDING + stated.relative_precision() + computed.relative_precision() {
        return Ok(());
    }
    Err(ConventionError::Inconsistent {
        stated: format!("{name} is {stated}"),
        computed: format!("{how} is {computed}"),
        percent: 100.0 * apart,
    })
}
