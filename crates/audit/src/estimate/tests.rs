//! Planted decay: values, the coverage of intervals, and refusals.

use super::planted::{LENGTH, Optimizer, Plan, Random, cosine, train};
use super::*;
use crate::bytes::Bytes;
use crate::case::Subject;
use crate::checkpoint::LoggedRate;
use crate::names::Naming;
use crate::tensor::{Dtype, Tensor};

fn rates(plan: &Plan) -> Rates {
    let points =
        (1..).zip(&plan.rates).map(|(step, &rate)| LoggedRate { step: f64::from(step), rate });
    Rates::at_steps(points.collect(), RateSource::File).unwrap()
}

fn proof_of(plan: &Plan) -> Proof {
    prove(&mut train(plan), Some(&rates(plan)), &[])
}

fn of<'a>(proof: &'a Proof, tensor: &str, method: Method) -> &'a TensorEstimate {
    let mut found =
        proof.estimates.iter().filter(|one| one.tensor == tensor && one.method == method);
    found.next().unwrap_or_else(|| panic!("no {method} of {tensor}: {proof:#?}"))
}

fn half_width(estimate: &Estimate) -> f64 {
    (estimate.high - estimate.low) / 2.0
}

/// Without the optimizer's state.
fn bare(mut subject: Subject) -> Subject {
    subject.checkpoint.optimizers.clear();
    subject.parameters.clear();
    subject.naming.clear();
    subject
}

#[test]
fn one_step_tells_rate_and_decay_of_every_tensor() {
    for optimizer in [
        Optimizer::AdamW { amsgrad: false },
        Optimizer::AdamW { amsgrad: true },
        Optimizer::SgdW { nesterov: false },
        Optimizer::SgdW { nesterov: true },
        Optimizer::Lion,
    ] {
        let plan = Plan { optimizer, ..Plan::default() };
        let proof = proof_of(&plan);
        for (tensor, lambda) in [("emb.weight", 0.1), ("w.weight", 0.1), ("n.weight", 0.0)] {
            let estimate = of(&proof, tensor, Method::Consecutive);
            let (found, rate) = (estimate.lambda.unwrap(), estimate.rate.unwrap());
            assert!(found.holds(lambda), "{optimizer:?} {tensor} {found:?}");
            let width = if tensor == "n.weight" { 0.1 } else { 2e-3 };
            assert!(half_width(&found) < width, "{optimizer:?} {tensor} {found:?}");
            assert!(rate.holds(plan.rates[200]), "{optimizer:?} {tensor} {rate:?}");
            let is_near = (rate.value / plan.rates[200] - 1.0).abs() < 1e-5;
            assert!(is_near || tensor == "n.weight", "{optimizer:?} {tensor} {rate:?}");
        }
        assert!(matches!(
            proof.verdict,
            Verdict::AppliedAsDeclared { declared, .. } if declared == 0.1
        ));
        assert_eq!((proof.steps, proof.reasons.len()), (Some(1.0), 0));
    }
}

#[test]
fn bf16_copies_of_one_step_tell_less_and_say_so() {
    let plan = Plan { dtype: Dtype::Bfloat16, ..Plan::default() };
    let proof = proof_of(&plan);
    let found = of(&proof, "w.weight", Method::Consecutive).lambda.unwrap();
    assert!(found.holds(0.1) && (0.01..1.0).contains(&half_width(&found)), "{found:?}");
}

/// 200 trainings: the interval of a planted λ holds it about as often as it claims to.
#[test]
fn the_interval_of_one_step_holds_the_truth_as_often_as_it_claims() {
    let mut held = 0;
    for seed in 0..200 {
        let plan = Plan {
            seed,
            rates: cosine(6e-4, 12),
            saved: vec![10, 11],
            // The interval of bf16 is nearly all standard error; that of f32 has the floor too.
            dtype: Dtype::Bfloat16,
            ..Plan::default()
        };
        let proof = proof_of(&plan);
        held += u32::from(of(&proof, "w.weight", Method::Consecutive).lambda.unwrap().holds(0.1));
    }
    assert!((180..=199).contains(&held), "{held} of 200");
}

#[test]
fn rows_never_seen_tell_lambda_to_the_rounding_floor() {
    let plan = Plan { saved: vec![100, 400], ..Plan::default() };
    let proof = proof_of(&plan);
    let estimate = of(&proof, "emb.weight", Method::NeverSeen);
    let lambda = estimate.lambda.unwrap();
    assert_eq!((estimate.rows, estimate.elements), (32, 32 * LENGTH));
    assert!(lambda.holds(0.1) && (lambda.value - 0.1).abs() < 1e-5, "{lambda:?}");
    assert!(half_width(&lambda) < 2e-5, "{lambda:?}");
    let shrink: f64 = plan.rates[100..400].iter().map(|rate| -(-rate * 0.1).ln_1p()).sum();
    assert!((estimate.shrink.unwrap().value / shrink - 1.0).abs() < 1e-4);
    assert_eq!((proof.steps, proof.estimates.len()), (Some(300.0), 1));
    assert!(proof.drifts.iter().all(|drift| drift.tensor != "emb.weight"));
    assert!(
        (proof.rate_sum.unwrap() / plan.rates[100..400].iter().sum::<f64>() - 1.0).abs() < 1e-12
    );
}

#[test]
fn the_interval_of_never_seen_rows_holds_the_truth_as_often_as_it_claims() {
    let mut held = 0;
    for seed in 0..200 {
        let plan = Plan {
            seed,
            rates: cosine(6e-3, 60),
            saved: vec![10, 60],
            dtype: Dtype::Bfloat16,
            ..Plan::default()
        };
        let lambda = of(&proof_of(&plan), "emb.weight", Method::NeverSeen).lambda.unwrap();
        held += u32::from(lambda.holds(0.1));
    }
    assert!((180..=199).contains(&held), "{held} of 200");
}

/// Without a state, rows that share one factor are found; in a tensor of which every row was
/// trained, or with copies in bf16, none are.
#[test]
fn rows_never_seen_are_found_by_their_factor() {
    let pair = |plan: &Plan| train(plan).into_iter().map(bare).collect::<Vec<_>>();
    let plan = Plan { saved: vec![100, 400], ..Plan::default() };
    let proof = prove(&mut pair(&plan), Some(&rates(&plan)), &[]);
    let estimate = of(&proof, "emb.weight", Method::NeverSeen);
    assert_eq!((estimate.rows, estimate.declared), (32, None));
    assert!((estimate.lambda.unwrap().value - 0.1).abs() < 1e-5);
    for plan in [
        Plan { saved: vec![100, 400], dead: 0, ..Plan::default() },
        Plan { saved: vec![100, 400], dtype: Dtype::Bfloat16, ..Plan::default() },
    ] {
        let proof = prove(&mut pair(&plan), Some(&rates(&plan)), &[]);
        assert!(proof.estimates.is_empty() && proof.verdict == Verdict::CannotTell);
        assert!(!proof.drifts.is_empty());
    }
    // Only the first has a state: its zeros and the factor agree.
    let plan = Plan { saved: vec![100, 400], ..Plan::default() };
    let mut subjects = train(&plan);
    let second = bare(subjects.pop().unwrap());
    subjects.push(second);
    let proof = prove(&mut subjects, Some(&rates(&plan)), &[]);
    let estimate = of(&proof, "emb.weight", Method::NeverSeen);
    assert_eq!((estimate.rows, estimate.declared), (32, Some(0.1)));
}

#[test]
fn without_rates_the_shrink_alone_is_told() {
    let plan = Plan { saved: vec![100, 400], ..Plan::default() };
    let proof = prove(&mut train(&plan), None, &[]);
    assert!(matches!(proof.verdict, Verdict::Applied { shrink } if shrink.low > 0.0));
    assert!(proof.reasons.iter().any(|reason| reason.contains("--rates")));
    assert_eq!(proof.rate_sum, None);
}

#[test]
fn equal_bits_of_rows_never_seen_prove_that_nothing_decays() {
    let plan = Plan { lambda: 0.0, saved: vec![100, 400], ..Plan::default() };
    let proof = proof_of(&plan);
    let lambda = of(&proof, "emb.weight", Method::NeverSeen).lambda.unwrap();
    // A step of the largest rate would have moved them from 2⁻²⁵/η on.
    assert_eq!((lambda.value, lambda.high), (0.0, 0.5_f64.powi(25) / plan.rates[100]));
    assert!(matches!(
        proof.verdict,
        Verdict::AppliedAsDeclared { declared, .. } if declared == 0.0
    ));
    // The same weights under a declared 0.1: it was not applied.
    let mut subjects = train(&plan);
    for subject in &mut subjects {
        subject.parameters.iter_mut().for_each(|parameter| parameter.lambda = Some(0.1));
    }
    let proof = prove(&mut subjects, None, &[]);
    assert!(matches!(proof.verdict, Verdict::NotApplied { declared: Some(_), .. }));
}

/// The rates of fine-tuning, at which 1 − ηλ is rounded to 1.
#[test]
fn decay_below_the_rounding_floor_cannot_be_told_from_none() {
    let plan = Plan { lambda: 0.01, rates: vec![2e-6; 40], saved: vec![10, 40], ..Plan::default() };
    let proof = proof_of(&plan);
    let lambda = of(&proof, "emb.weight", Method::NeverSeen).lambda.unwrap();
    assert!(lambda.holds(0.0) && lambda.holds(0.01));
    assert_eq!(proof.verdict, Verdict::CannotTell);
    // At 3e-6 the nearest number below 1 is 2.0 times as far as it should be.
    let plan = Plan { lambda: 0.01, rates: vec![3e-6; 40], saved: vec![10, 40], ..Plan::default() };
    let lambda = of(&proof_of(&plan), "emb.weight", Method::NeverSeen).lambda.unwrap();
    assert!(lambda.value > 0.015 && lambda.holds(0.01), "{lambda:?}");
}

#[test]
fn rows_unseen_in_the_window_tell_lambda() {
    // Rows 32 to 63 have a gradient in steps 150 and 200 only.
    let plan = Plan { saved: vec![160, 190], dead: 0, ..Plan::default() };
    let proof = proof_of(&plan);
    let estimate = of(&proof, "emb.weight", Method::UnseenBetween);
    let lambda = estimate.lambda.unwrap();
    assert_eq!(estimate.rows, 32);
    assert!(lambda.holds(0.1) && (lambda.value - 0.1).abs() < 1e-4, "{lambda:?}");
    // With a gradient in the window there are none.
    let plan = Plan { saved: vec![160, 210], dead: 0, ..Plan::default() };
    assert!(proof_of(&plan).estimates.is_empty());
}

#[test]
fn the_interval_of_unseen_rows_holds_the_truth_as_often_as_it_claims() {
    let mut held = 0;
    for seed in 0..200 {
        let plan = Plan {
            seed,
            rates: cosine(6e-3, 30),
            saved: vec![12, 21],
            rare: (32, 11),
            dtype: Dtype::Bfloat16,
            ..Plan::default()
        };
        let lambda = of(&proof_of(&plan), "emb.weight", Method::UnseenBetween).lambda.unwrap();
        held += u32::from(lambda.holds(0.1));
    }
    assert!((180..=199).contains(&held), "{held} of 200");
}

#[test]
fn far_apart_the_drift_is_not_called_lambda() {
    let plan = Plan { saved: vec![100, 200], dead: 0, rare: (0, 1), ..Plan::default() };
    let proof = proof_of(&plan);
    assert!(proof.estimates.is_empty());
    assert_eq!(proof.verdict, Verdict::CannotTell);
    assert_eq!(
        proof.reasons,
        [
            "λ cannot be told from these two files: they lie 100 steps apart, and no row was without a \
             gradient. Save a checkpoint one step after the other, with the optimizer's state."
        ]
    );
    assert_eq!(proof.drifts.len(), 3);
    assert!(proof.drifts.iter().all(|drift| !drift.is_equal && !drift.is_pure_factor));
}

#[test]
fn a_pure_factor_is_seen_and_nothing_else_is_taken_for_one() {
    let mut random = Random::new(3);
    let values: Vec<f32> = (0..4096).map(|_| random.normal() as f32).collect();
    let tensor = |factor: f32, noise: f32| {
        let mut random = Random::new(4);
        let moved = values.iter().map(|x| x * factor + noise * random.normal() as f32);
        let bytes: Vec<u8> = moved.flat_map(f32::to_le_bytes).collect();
        Tensor::contiguous(Bytes::from(bytes), Dtype::Float32, vec![64, 64]).unwrap()
    };
    let before = tensor(1.0, 0.0);
    let pair = pair::Pair {
        name: "w",
        before: &before,
        after: &before,
        held_before: None,
        held_after: None,
        declared: None,
        declared_before: None,
    };
    let drift = |after: &Tensor| drift::of(&pair::Pair { after, ..pair }, Some(100)).unwrap();
    let shrunk = drift(&tensor(0.99, 0.0));
    assert!(shrunk.is_pure_factor && (shrunk.along - 0.99).abs() < 1e-6 && !shrunk.is_equal);
    assert!(!drift(&tensor(0.99, 1e-3)).is_pure_factor);
    // Gains that were all one and all fell by the same step.
    let gains = |value: f32| {
        let bytes: Vec<u8> = [value; 64].iter().flat_map(|x| x.to_le_bytes()).collect();
        Tensor::contiguous(Bytes::from(bytes), Dtype::Float32, vec![64]).unwrap()
    };
    let (ones, fallen) = (gains(1.0), gains(0.99));
    let pair = pair::Pair { name: "n", before: &ones, after: &fallen, ..pair };
    assert!(!drift::of(&pair, Some(100)).unwrap().is_pure_factor);
    let same = drift(&tensor(1.0, 0.0));
    assert!(same.is_equal && !same.is_pure_factor && same.norm_ratio == 1.0);
}

#[test]
fn three_checkpoints_tell_the_rule() {
    let plan = Plan { saved: vec![20, 150, 300, 400], ..Plan::default() };
    let proof = proof_of(&plan);
    assert_eq!(proof.rules.len(), 4);
    assert_eq!(proof.rules[0].rule, "Σ η");
    assert!(proof.rules[0].residual < 1e-3 && proof.rules[1].residual > 0.1);
    assert_eq!(proof.steps, Some(380.0));
    // Independent of the rate: the same shrink at every step.
    let mut plan = Plan { lambda: 6e-5, saved: vec![20, 150, 300, 400], ..Plan::default() };
    let real = std::mem::replace(&mut plan.rates, vec![1.0; 400]);
    let mut subjects = train(&plan);
    plan.rates = real;
    assert_eq!(prove(&mut subjects, Some(&rates(&plan)), &[]).rules[0].rule, "steps");
}

#[test]
fn a_coupled_penalty_shows_in_the_momentum_alone() {
    let plan = Plan {
        optimizer: Optimizer::Sgd,
        lambda: 5e-3,
        rates: vec![0.02; 300],
        saved: vec![300],
        ..Plan::default()
    };
    let proof = prove(&mut train(&plan), None, &[]);
    let estimate = of(&proof, "emb.weight", Method::CoupledMomentum);
    let lambda = estimate.lambda.unwrap();
    assert!((lambda.value / 5e-3 - 1.0).abs() < 1e-3, "{lambda:?}");
    assert!(estimate.rows >= 32 && lambda.holds(5e-3));
    assert!(matches!(proof.verdict, Verdict::AppliedAsDeclared { .. }));

    // Near (1 − √μ)² = 2.6e-3 a step there is still one factor; above, rows swing about zero.
    let strong = |lambda: f64| {
        let (rates, saved) = (vec![0.02; 400], vec![100, 250, 400]);
        let plan = Plan { optimizer: Optimizer::Sgd, lambda, rates, saved, ..Plan::default() };
        prove(&mut train(&plan), None, &[])
    };
    let proof = strong(0.06);
    let lambda = of(&proof, "emb.weight", Method::CoupledMomentum).lambda.unwrap();
    assert!((lambda.value / 0.06 - 1.0).abs() < 1e-2, "{lambda:?}");
    for swinging in [0.14, 0.4, 1.5] {
        let proof = strong(swinging);
        assert_eq!(proof.verdict, Verdict::CannotTell, "{swinging}: {:?}", proof.estimates);
    }

    let plan = Plan {
        optimizer: Optimizer::Adam,
        lambda: 1e-2,
        rates: vec![1e-4; 150],
        saved: vec![150],
        ..Plan::default()
    };
    let proof = prove(&mut train(&plan), None, &[]);
    let lambda = of(&proof, "emb.weight", Method::CoupledMomentum).lambda.unwrap();
    assert!((lambda.value / 1e-2 - 1.0).abs() < 1e-2, "{lambda:?}");

    // Decoupled decay leaves no momentum, and one step of a coupled penalty shows none in weights.
    let plan = Plan { saved: vec![150], ..Plan::default() };
    let proof = prove(&mut train(&plan), None, &[]);
    assert!(proof.estimates.is_empty() && proof.verdict == Verdict::CannotTell);
    assert_eq!(proof.balances.len(), 3);
    let plan = Plan { optimizer: Optimizer::Adam, lambda: 1e-2, dead: 0, ..Plan::default() };
    let proof = proof_of(&plan);
    assert!(proof.estimates.iter().all(|one| one.method != Method::Consecutive));
    assert!(proof.reasons.iter().any(|reason| reason.contains("part of the gradient")));
}

/// σ₀ = 0.05, and κ = λ Σ η is known: over 200 trainings, the interval holds it.
#[test]
fn the_spread_of_dead_rows_tells_the_shrink_since_the_start() {
    let mut held = 0;
    for seed in 0..200 {
        let plan =
            Plan { seed, lambda: 5.0, rates: vec![2e-2; 5], saved: vec![5], ..Plan::default() };
        let declaration =
            crate::dialect::Declaration { init_std: Some(0.05), ..Default::default() };
        let proof = prove(&mut train(&plan), Some(&rates(&plan)), &[declaration]);
        let estimate = of(&proof, "emb.weight", Method::InitialSpread);
        let shrink = estimate.shrink.unwrap();
        assert!((half_width(&shrink) - 1.96 / (2.0 * 2048.0_f64).sqrt()).abs() < 1e-4);
        held += u32::from(shrink.holds(-5.0 * 0.9_f64.ln()));
        assert_eq!(proof.verdict, Verdict::CannotTell);
    }
    assert!((180..=199).contains(&held), "{held} of 200");
}

/// The last step back from the state is the step that was made.
#[test]
fn the_growth_of_the_last_step_is_exact() {
    let plan = Plan { rates: vec![3e-4; 400], ..Plan::default() };
    let subjects = train(&plan);
    let norm = |subject: &Subject| {
        let tensor = subject.checkpoint.tensor("w.weight").unwrap();
        tensor.to_f64().unwrap().iter().map(|x| x * x).sum::<f64>()
    };
    let (before, after) = (norm(&subjects[0]), norm(&subjects[1]));
    let proof = prove(&mut subjects[1..].to_vec(), None, &[]);
    let balance = proof.balances.iter().find(|one| one.tensor == "w.weight").unwrap();
    assert!((balance.growth.value - (after - before) / after).abs() < 1e-7);
    assert!((balance.decay_part + 2.0 * 3e-4 * 0.1).abs() < 1e-15);
    assert!((balance.rms - (after / 4096.0).sqrt()).abs() < 1e-12);
    // κ = .012: the start is not forgotten, so no balance is predicted.
    assert_eq!(balance.equilibrium_rms, None);
    assert!(half_width(&balance.growth) > 0.0);
}

#[test]
fn the_step_names_parameters_that_had_no_name() {
    let plan = Plan::default();
    let mut subjects = train(&plan);
    // Two tensors of one shape, so that shapes do not tell them apart.
    for subject in &mut subjects {
        subject.naming = vec![Naming::Shapes];
        subject.parameters.iter_mut().for_each(|parameter| parameter.name = None);
        let tensor = |name: &str| subject.checkpoint.tensor(name).unwrap().clone();
        let (gain, mut twin) = (tensor("n.weight"), subject.checkpoint.model[2].clone());
        twin.name = "twin.weight".to_owned();
        let turned = gain.to_f64().unwrap().into_iter().rev();
        let bytes: Vec<u8> = turned.flat_map(|x| (x as f32).to_le_bytes()).collect();
        twin.tensor = Tensor::contiguous(Bytes::from(bytes), Dtype::Float32, vec![64]).unwrap();
        subject.checkpoint.model.insert(0, twin);
    }
    let named = name_by_residuals(&subjects[0], &subjects[1]);
    let names: Vec<&str> = named.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["emb.weight", "w.weight", "n.weight"]);
    assert!(named.iter().all(|found| found.residual < 1e-4), "{named:?}");
    let proof = prove(&mut subjects, None, &[]);
    assert_eq!(subjects[1].naming, [Naming::Residuals]);
    assert_eq!(subjects[0].parameters[1].name.as_deref(), Some("w.weight"));
    assert!(matches!(proof.verdict, Verdict::AppliedAsDeclared { .. }));
}

#[test]
fn a_state_of_another_tensor_is_refused() {
    let plan = Plan { dead: 0, rare: (0, 1), ..Plan::default() };
    let other = Plan { seed: 9, dead: 0, rare: (0, 1), ..Plan::default() };
    let (mut subjects, others) = (train(&plan), train(&other));
    for (subject, other) in subjects.iter_mut().zip(others) {
        subject.checkpoint.optimizers = other.checkpoint.optimizers;
    }
    let proof = prove(&mut subjects, Some(&rates(&plan)), &[]);
    assert!(proof.estimates.is_empty(), "{:?}", proof.estimates);
    assert_eq!(proof.verdict, Verdict::CannotTell);
    assert!(
        proof
            .reasons
            .iter()
            .any(|reason| reason.contains("explains the change of 0 of 3 tensors only")),
        "{:?}",
        proof.reasons
    );
}

#[test]
fn optimizers_whose_update_is_not_in_their_state_are_refused_with_the_reason() {
    for (key, word) in [("ns_steps", "Muon"), ("momentum_decay", "NAdam")] {
        let mut subjects = train(&Plan { dead: 0, rare: (0, 1), ..Plan::default() });
        for group in subjects.iter_mut().flat_map(|one| &mut one.checkpoint.optimizers[0].groups) {
            group.settings.push((key.to_owned(), crate::checkpoint::Value::Integer(5)));
        }
        let proof = prove(&mut subjects, None, &[]);
        assert!(proof.estimates.is_empty());
        assert!(proof.reasons.iter().any(|reason| reason.contains(word)), "{:?}", proof.reasons);
    }
}

/// Fine-tuning from a checkpoint starts a new optimizer with a new rate.
#[test]
fn the_count_of_another_run_is_no_count_of_steps_in_between() {
    let plan = Plan { saved: vec![100, 400], ..Plan::default() };
    let mut subjects = train(&plan);
    for (subject, rate) in subjects.iter_mut().zip([1e-3, 5e-3]) {
        let groups = subject.checkpoint.optimizers.iter_mut().flat_map(|one| &mut one.groups);
        groups.for_each(|group| group.initial_rate = Some(rate));
    }
    let proof = prove(&mut subjects, Some(&rates(&plan)), &[]);
    assert_eq!((proof.steps, proof.rate_sum), (None, None));
    assert!(matches!(proof.verdict, Verdict::Applied { .. }));
    assert!(proof.reasons.iter().any(|reason| reason.contains("different learning rates")));
    // A count that went back is one that began again.
    subjects.reverse();
    let proof = prove(&mut subjects, Some(&rates(&plan)), &[]);
    assert_eq!(proof.steps, Some(100.0));
}

#[test]
fn nothing_and_nothing_in_common_are_said() {
    assert_eq!(prove(&mut [], None, &[]), Proof::default());
    let mut subjects = train(&Plan::default());
    for named in &mut subjects[0].checkpoint.model {
        named.name.insert_str(0, "other.");
    }
    let proof = prove(&mut subjects, None, &[]);
    assert!(proof.estimates.is_empty() && proof.reasons[0].contains("no tensor in common"));
}

/// A small gradient of the loss beside the penalty: λ̂ is off, and its interval holds λ.
#[test]
fn a_small_gradient_beside_a_penalty_widens_the_interval() {
    let plan = Plan {
        optimizer: Optimizer::Sgd,
        lambda: 5e-3,
        rates: vec![0.02; 400],
        saved: vec![400],
        ..Plan::default()
    };
    let mut subjects = train(&plan);
    let alone = prove(&mut subjects, None, &[]);
    let alone = of(&alone, "emb.weight", Method::CoupledMomentum).lambda.unwrap();

    let checkpoint = &mut subjects[0].checkpoint;
    let weights = checkpoint.tensor("emb.weight").unwrap().to_f64().unwrap();
    let shape = checkpoint.tensor("emb.weight").unwrap().shape().to_vec();
    let states = checkpoint.optimizers.iter_mut().flat_map(|one| &mut one.states);
    let mut momenta = states.flat_map(|state| &mut state.tensors);
    let momentum = momenta.find(|one| one.tensor.shape() == shape).unwrap();
    let values = momentum.tensor.to_f64().unwrap();
    // Three per cent of the penalty's momentum along the weights, and six across them.
    let moved = values.iter().zip(&weights).enumerate().map(|(at, (value, weight))| {
        let across = if at % 2 == 0 { 0.06 } else { -0.06 };
        value + 0.05 * weight * (0.03 + across)
    });
    let moved: Vec<f64> = moved.collect();
    momentum.tensor = crate::rules::testing::tensor(Dtype::Float32, &moved, &shape);
    let proof = prove(&mut subjects, None, &[]);
    let estimate = of(&proof, "emb.weight", Method::CoupledMomentum);
    let lambda = estimate.lambda.unwrap();
    assert!(alone.holds(5e-3) && half_width(&alone) < half_width(&lambda), "{alone:?} {lambda:?}");
    assert!((lambda.value / 5e-3 - 1.0).abs() > 0.02 && lambda.holds(5e-3), "{lambda:?}");
    assert!(estimate.remark.as_ref().unwrap().contains("small gradient"));
}
