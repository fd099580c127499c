//! What laws say beyond their formula: where they are refuted, what they need, what a record that
//! took no part in them says.

use wd_advise::laws::width_transfer::{COMPUTE_OPTIMAL, INDEPENDENT, ROOT};
use wd_advise::laws::{data_constrained, epoch_timescale, log_time, nanochat, power_lines};
use wd_advise::record::BELOW;
use wd_advise::{Answer, Axis, Law, PlannedRun, Verdict, advise};
use wd_decay::OptimizerKind;

use crate::planned::{DANGELO, DEIT, run, run_with};

/// Kim et al.'s tuned run of 300M parameters, on 750 steps an epoch.
const KIM: &str = "params=300M data=196.608Mtok epochs=16 batch=262144tok lr=3e-3 schedule=cosine";

fn near(left: f64, right: f64, tolerance: f64) {
    assert!((left / right - 1.0).abs() <= tolerance, "{left} is not {right}");
}

fn lambda(law: Law, run: &PlannedRun) -> f64 {
    (law.answer)(run).applies().unwrap_or_else(|| panic!("{}: {:?}", law.id, (law.answer)(run))).0
}

fn caveats(law: Law, run: &PlannedRun) -> Vec<String> {
    match (law.answer)(run) {
        Answer::Applies { caveats, .. } => caveats,
        other => panic!("{}: {other:?}", law.id),
    }
}

fn why(law: Law, run: &PlannedRun) -> Vec<String> {
    match (law.answer)(run) {
        Answer::OutsideRange { why, .. } => why,
        other => panic!("{}: {other:?}", law.id),
    }
}

#[test]
fn tuned_runs_on_repeated_text_are_one_law_in_the_pull_of_a_step() {
    let (least, most) = data_constrained::tuned_epochs();
    near(least, 0.278, 0.01);
    near(most, 0.556, 0.01);
    for tuned in data_constrained::TUNED {
        let own = PlannedRun {
            parameters: Some(tuned.parameters),
            peak_learning_rate: Some(tuned.peak_learning_rate),
            ..run(KIM)
        };
        near(lambda(data_constrained::LAW, &own), tuned.lambda, 1e-12);
        // Half the rate, twice the λ; twice the batch, twice the λ.
        let slower = PlannedRun { peak_learning_rate: Some(tuned.peak_learning_rate / 2.0), ..own };
        near(lambda(data_constrained::LAW, &slower), 2.0 * tuned.lambda, 1e-12);
        let larger = slower.with_batch(2.0);
        near(lambda(data_constrained::LAW, &larger), 4.0 * tuned.lambda, 1e-12);
        assert_eq!(
            caveats(data_constrained::LAW, &larger).len(),
            caveats(data_constrained::LAW, &slower).len() + 1
        );
    }
}

#[test]
fn the_timescale_in_epochs_is_refuted_on_repeated_text() {
    let kim = run(KIM);
    let reasons = why(epoch_timescale::LAW, &kim);
    assert!(
        reasons.iter().any(|reason| reason.contains("0.28 to 0.56 of an epoch")),
        "{reasons:?}"
    );
    // One law is left, and gives what was tuned.
    let Verdict::Recommended { lambda, laws, .. } = advise(&kim).verdict else {
        panic!("{:?}", advise(&kim).verdict)
    };
    assert_eq!(laws, ["data-constrained"]);
    near(lambda, 1.6, 1e-12);
    assert!((epoch_timescale::LAW.answer)(&run(DEIT)).applies().is_some());
}

#[test]
fn log_time_starts_at_a_tenth_of_the_run() {
    // Beside ω/t: half at a tenth, 0.83 at half, 0.91 at the end; 40/T in the first step.
    for (share, of_plain) in [(0.1, 0.5), (0.5, 0.5 / 0.6), (1.0, 1.0 / 1.1)] {
        let plain = 4.0 / (share * 50_000.0) / 6e-4;
        near(log_time::lambda_at(share, 50_000.0, 6e-4), of_plain * plain, 1e-12);
    }
    near(log_time::lambda_at(0.0, 50_000.0, 6e-4) * 6e-4, 40.0 / 50_000.0, 1e-12);
}

#[test]
fn the_best_batch_is_that_of_the_paper() {
    // 610M parameters on 12.2B tokens: 223 sequences, where 252 was measured best.
    near(power_lines::best_batch(12.2e9) / 2_048.0, 223.0, 5e-3);
    let planned = |batch: &str| {
        run(&format!("params=610M tokens=12.2B batch={batch}tok lr=1e-3 schedule=linear"))
    };
    assert_eq!(caveats(power_lines::LAW, &planned("400k")), [""; 0]);
    let larger = caveats(power_lines::LAW, &planned("4M"));
    assert!(matches!(larger.as_slice(), [one] if one.contains("critical batch")), "{larger:?}");
}

#[test]
fn which_law_of_width_applies_goes_by_the_tokens_of_the_base() {
    let at = |ratio: f64, base_total: Option<f64>| PlannedRun {
        width: Some(256.0 * ratio),
        base_width: Some(256.0),
        base_lambda: Some(0.1),
        base_total,
        ..run(DANGELO)
    };
    let total = run(DANGELO).total;
    for ratio in [0.5, 2.0, 4.0, 16.0] {
        let (same, grown) = (at(ratio, Some(total)), at(ratio, Some(total / (ratio * ratio))));
        near(lambda(INDEPENDENT, &same), 0.1 * ratio, 1e-12);
        near(lambda(ROOT, &same), 0.1 * ratio.sqrt(), 1e-12);
        assert_eq!(why(COMPUTE_OPTIMAL, &same).len(), 1);
        // η ∝ 1/m and the same λ: ηλ ∝ 1/m.
        near(lambda(COMPUTE_OPTIMAL, &grown), 0.1, 1e-12);
        assert_eq!(why(INDEPENDENT, &grown).len(), 1);
    }
    let Answer::Needs { what } = (COMPUTE_OPTIMAL.answer)(&at(4.0, None)) else {
        panic!("the tokens of the base are missing")
    };
    assert_eq!(what, ["base-tokens"]);
    let unsaid = caveats(INDEPENDENT, &at(4.0, None));
    assert!(unsaid.iter().any(|caveat| caveat.contains("same batch and steps")), "{unsaid:?}");
    // Beside each other, each in its own growth.
    let advice = advise(&run(DANGELO));
    let table = advice.scaling.iter().find(|table| table.axis == Axis::Width).unwrap();
    for (factor, lambdas) in &table.rows {
        let [independent, root, same] = lambdas.as_slice() else { panic!("three laws") };
        assert!(lambdas.iter().all(|scaled| scaled.applies), "{factor}: {lambdas:?}");
        near(independent.lambda.unwrap() / same.lambda.unwrap(), *factor, 1e-12);
        near(root.lambda.unwrap() / same.lambda.unwrap(), factor.sqrt(), 1e-12);
    }
}

#[test]
fn nanochat_speaks_of_the_matrices_alone() {
    let words = "params=110101632 tokens=1321219584 batch=524288tok lr=0.02 \
                 schedule=wsd,decay=65%,floor=0.05";
    let said = caveats(nanochat::LAW, &run_with(words, OptimizerKind::Muon)).join("; ");
    assert!(said.contains("fixed λ of 0.001 to 0.05"), "{said}");
}

#[test]
fn an_independent_record_tilts_the_law_and_no_more() {
    let at = |ratio: f64| {
        let words = format!("params=400M tokens={}M lr=1e-3 schedule=linear", 400.0 * ratio);
        advise(&run(&format!("{words} batch=262144tok"))).record.unwrap()
    };
    // In the middle of the grids, √(19·466) = 94 tokens a parameter, both are one.
    let middle = at(94.1);
    near(middle.by_its_exponent, middle.lambda, 1e-3);
    // (20/94.1)^(0.592 − 0.527) = 0.904; a standard error more 0.873.
    let low = at(20.0);
    near(low.by_its_exponent / low.lambda, 0.9042, 1e-3);
    near(low.range.low / low.lambda, 0.8726, 1e-3);
    assert_eq!(low.range.high, low.lambda);
    assert!(low.within && !low.below && low.sentences().len() == 2);
    let far = at(1_000.0);
    assert!(!far.within && far.range.high > 1.15 * far.lambda);
    // No number of the law, no record.
    let constant = run("params=124M tokens=3.28B batch=65536tok lr=6e-4 schedule=constant");
    assert_eq!(advise(&constant).record, None);
}

#[test]
fn below_its_range_the_law_has_been_tried_once() {
    near(BELOW.by_the_law(), 0.43, 5e-3);
    let tiny = run("params=169728 tokens=2.04M batch=2048tok lr=8e-3 schedule=cosine");
    let record = advise(&tiny).record.unwrap();
    near(record.lambda, 0.43, 0.01);
    assert!(record.below && record.sentences().len() == 3);
    let last = record.sentences().pop().unwrap();
    assert!(last.contains("0.15 to 0.3") && last.contains("a factor of 1.4 to 2.9"), "{last}");
}
