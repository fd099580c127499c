//! detectron2's `config.yaml`.

use wd_decay::{Curve, Point, Schedule, ScheduleKind};

use super::optimizer::Known;
use super::reading::Reading;
use super::{Declaration, Dialect, rate};

pub(super) static DIALECT: Dialect = Dialect {
    name: "detectron2",
    matches: |clues| {
        let own =
            ["SOLVER.BASE_LR", "SOLVER.IMS_PER_BATCH", "SOLVER.MAX_ITER", "SOLVER.WEIGHT_DECAY"];
        clues.keys(&own, &["MODEL", "DATASETS", "INPUT"])
    },
    read,
};

/// Defaults of `config/defaults.py`: SGD with momentum 0.9, λ 1e-4, gains 0, biases as the weights
/// (null), 16 images, 40,000 steps. Projects that use another optimizer name it in
/// `SOLVER.OPTIMIZER`.
fn read(reading: &Reading) -> Declaration {
    let mut declaration = Declaration::default();
    declaration.set_lambda(reading, "SOLVER.WEIGHT_DECAY", Some(1e-4));
    let name = reading.text("SOLVER.OPTIMIZER").unwrap_or("SGD");
    declaration.momentum = Some(reading.number("SOLVER.MOMENTUM").unwrap_or(0.9));
    declaration.set_optimizer(name, Known::named(name));
    if !name.eq_ignore_ascii_case("sgd") {
        declaration.momentum = None;
    }
    declaration.rate = Some(reading.declared("SOLVER.BASE_LR", 0.001));
    let gains = reading.number("SOLVER.WEIGHT_DECAY_NORM").unwrap_or(0.0);
    declaration.set_group("norm", Some(gains));
    declaration.set_group("bias", reading.number("SOLVER.WEIGHT_DECAY_BIAS"));
    declaration.batch = Some(reading.number("SOLVER.IMS_PER_BATCH").unwrap_or(16.0));
    declaration.steps = reading.count("SOLVER.MAX_ITER").or(Some(40_000));
    declaration.schedule = schedule(reading, &declaration);
    declaration
}

/// The default goes down in steps at `SOLVER.STEPS`, each by the factor `SOLVER.GAMMA`.
fn schedule(reading: &Reading, declaration: &Declaration) -> Option<Schedule> {
    let warmup = reading.number("SOLVER.WARMUP_ITERS").or(Some(1000.0));
    match reading.text("SOLVER.LR_SCHEDULER_NAME").unwrap_or("WarmupMultiStepLR") {
        "WarmupCosineLR" => {}
        "WarmupMultiStepLR" => return in_steps(reading, warmup?, declaration.steps?),
        _ => return None,
    }
    let peak = declaration.rate.map(|rate| rate.value);
    let floor = rate::floor(reading.number("SOLVER.BASE_LR_END"), peak);
    rate::schedule(ScheduleKind::Cosine, warmup, declaration.steps, floor)
}

/// A line from `SOLVER.WARMUP_FACTOR` of the peak up to it, then the steps down.
fn in_steps(reading: &Reading, warmup: f64, steps: u64) -> Option<Schedule> {
    if steps == 0 {
        return None;
    }
    let start = reading.number("SOLVER.WARMUP_FACTOR").unwrap_or(0.001);
    let gamma = reading.number("SOLVER.GAMMA").unwrap_or(0.1);
    let stated = reading.numbers("SOLVER.STEPS");
    let falls = if reading.has("SOLVER.STEPS") { stated } else { vec![30_000.0] };
    let steps_of_run = steps as f64;
    let mut points = vec![Point { share: 0.0, factor: start, curve: Curve::Linear }];
    points.push(Point { share: warmup / steps_of_run, factor: 1.0, curve: Curve::Linear });
    let mut factor = 1.0;
    for fall in falls.into_iter().filter(|&fall| fall > warmup && fall < steps_of_run) {
        factor *= gamma;
        points.push(Point { share: fall / steps_of_run, factor, curve: Curve::Step });
    }
    rate::through(&points, steps)
}
