//! λ carried from one library to another, against simulations, closed forms and the record.

use proptest::prelude::*;
use wd_conventions::conversion::Value;
use wd_conventions::library::{self, KeyMeaning};
use wd_conventions::{ConventionError, Conversion, Fidelity, Setting, Target, convert};
use wd_decay::{Application, DecayRule, Shrink};

fn read(text: &str) -> Setting {
    Setting::read(&text.split_whitespace().collect::<Vec<_>>()).expect(text)
}

fn attempt(from: &str, to: &str) -> Result<Conversion, ConventionError> {
    convert(&read(from), &to.parse()?)
}

fn to(from: &str, to: &str) -> Conversion {
    attempt(from, to).unwrap_or_else(|error| panic!("{from} → {to}: {error}"))
}

fn exact(from: &str, target: &str) -> f64 {
    let conversion = to(from, target);
    assert_eq!(conversion.fidelity, Fidelity::Exact, "{from} → {target}: {:?}", conversion.reasons);
    conversion.lambda().unwrap()
}

fn approximate(from: &str, target: &str) -> Conversion {
    let conversion = to(from, target);
    assert_eq!(conversion.fidelity, Fidelity::Approximate, "{from} → {target}");
    conversion
}

/// No number does it; the reason is returned.
fn impossible(from: &str, target: &str) -> String {
    let conversion = to(from, target);
    assert_eq!(conversion.fidelity, Fidelity::Impossible, "{from} → {target}");
    assert_eq!((conversion.lambda(), &conversion.call), (None, &None));
    told(from, target)
}

/// It takes a number that was not given, and the error names its key.
fn missing(from: &str, target: &str, key: &str) {
    match attempt(from, target) {
        Err(ConventionError::Missing { missing, .. }) => {
            assert!(missing.contains(key), "{from} → {target}: {missing}");
        }
        other => panic!("{from} → {target}: {other:?}"),
    }
}

/// What a person reads of a conversion.
fn told(from: &str, target: &str) -> String {
    let told = match attempt(from, target) {
        Ok(conversion) => conversion.reasons.join("\n    "),
        Err(error) => error.to_string(),
    };
    format!("{from} → {target}\n    {told}")
}

/// A number among the keys of a conversion.
fn key(conversion: &Conversion, name: &str) -> f64 {
    let found = conversion.keys.iter().find(|(key, _)| *key == name);
    match found.unwrap_or_else(|| panic!("no {name} in {:?}", conversion.keys)).1 {
        Value::Number(number) => number,
        Value::Switch(_) => panic!("{name} is a switch"),
    }
}

fn close(left: f64, right: f64) {
    assert!((left - right).abs() <= 1e-12 * right.abs(), "{left} is not {right}");
}

/// The shrinks of a setting, step by step.
fn shrinks(setting: &Setting, steps: u64) -> Vec<f64> {
    (0..steps)
        .map(|step| match setting.application(step) {
            Some(Application::Shrink(Shrink(shrink))) => shrink,
            other => panic!("no shrink: {other:?}"),
        })
        .collect()
}

/// The converted setting, read back from the keys it was written in.
fn read_back(conversion: &Conversion, run: &str) -> Setting {
    let mut words = vec![conversion.entry.name.clone()];
    for (key, value) in &conversion.keys {
        words.push(match value {
            Value::Number(number) => format!("{key}={number:e}"),
            Value::Switch(on) => format!("{key}={on}"),
        });
    }
    words.extend(run.split_whitespace().map(str::to_owned));
    Setting::read(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

#[test]
fn numbers_that_no_double_holds_are_refused() {
    for (from, target) in [
        ("sklearn.Ridge alpha=1 noise_std=1e-300", "laplace.prior_precision"),
        ("sklearn.Ridge alpha=1 noise_std=1e-300", "prior.Gaussian"),
        ("prior.Gaussian std=1e-300", "sklearn.LogisticRegression"),
        ("prior.Gaussian std=1e300", "laplace.prior_precision"),
        ("torch.AdamW weight_decay=1e-300 lr=1e-300", "big_vision.adam"),
    ] {
        attempt(from, target).expect_err(from);
    }
    // No decay has an infinite C: that is a number scikit-learn takes.
    assert_eq!(
        to("statsmodels.GLM alpha=0 data=100", "sklearn.LogisticRegression").lambda(),
        Some(f64::INFINITY)
    );
}

const RUN: &str = "schedule=cosine,warmup=5,floor=0.1 steps=50";

#[test]
fn the_learning_rate_coupling_of_every_library() {
    let adamw = format!("torch.AdamW weight_decay=0.1 lr=6e-4 {RUN}");
    close(exact(&adamw, "optax.adamw"), 0.1);
    close(exact(&adamw, "torch.Adam"), 0.1);
    close(exact(&adamw, "candle.AdamW"), 0.1);
    close(exact(&adamw, "burn.AdamW"), 0.1);
    close(exact(&adamw, "transformers.Trainer"), 0.1);
    close(exact(&adamw, "megatron.adam"), 0.1);
    // Fully decoupled: λ' = ηλ, under any schedule.
    close(exact(&adamw, "big_vision.adam"), 6e-5);
    close(exact(&adamw, "composer.DecoupledAdamW"), 6e-5);
    close(exact(&adamw, "optimi.AdamW decouple_lr=true"), 6e-5);
    // The record: AugReg's wd = 1e-4 at lr = 1e-3 is 0.1 of torch's.
    close(exact("big_vision.adam wd=1e-4 lr=1e-3", "torch.AdamW"), 0.1);
    close(exact("modded_nanogpt.NorMuon weight_decay=1.2 lr=0.02", "modded_nanogpt.NorMuon"), 1.2);
}

#[test]
fn a_switch_is_set_only_where_it_is_needed() {
    let adamw = format!("torch.AdamW weight_decay=0.1 lr=6e-4 {RUN}");
    let free = to(&adamw, "optimi.AdamW");
    assert_eq!(
        free.call.as_deref(),
        Some(
            "optimi.AdamW(params, lr=0.0006, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)"
                .replace("0.0006", "6e-4")
                .as_str()
        )
    );
    let coupled = to("torch.Adam weight_decay=1e-4 lr=1e-3", "optimi.Adam");
    assert_eq!((coupled.fidelity, coupled.lambda()), (Fidelity::Exact, Some(1e-4)));
    let decoupled = to(&adamw, "torch.Adam");
    assert!(decoupled.keys.contains(&("decoupled_weight_decay", Value::Switch(true))));
    // Fixed from outside, the default variant cannot be taken.
    assert_eq!(
        to(&adamw, "torch.Adam decoupled_weight_decay=false").fidelity,
        Fidelity::Impossible
    );
}

#[test]
fn corrected_decay_keeps_kappa_and_says_what_differs() {
    let adamw = format!("torch.AdamW weight_decay=0.1 lr=6e-4 {RUN}");
    let corrected = approximate(&adamw, "timm.AdamW corrected_weight_decay=true");
    let source = shrinks(&read(&adamw), 50);
    let target = shrinks(&read_back(&corrected, RUN), 50);
    close(target.iter().sum(), source.iter().sum());
    let widest = source
        .iter()
        .zip(&target)
        .map(|(source, target)| (source - target).abs())
        .fold(0.0, f64::max)
        / source.iter().copied().fold(0.0, f64::max);
    assert!(
        corrected.reasons[0].contains(&format!("{:.0} %", 100.0 * widest)),
        "{widest} {:?}",
        corrected.reasons
    );
    // At a constant rate nothing differs.
    close(
        exact(
            "torch.AdamW weight_decay=0.1 lr=6e-4 schedule=constant steps=50",
            "timm.AdamW corrected_weight_decay=true",
        ),
        0.1,
    );
    // Without a schedule the peak is all that can be matched, and that is said.
    let unscheduled = "torch.AdamW weight_decay=0.1 lr=6e-4";
    let blind = approximate(unscheduled, "timm.AdamW corrected_weight_decay=true");
    assert_eq!(blind.lambda(), Some(0.1));
    insta::assert_snapshot!(told(unscheduled, "timm.AdamW corrected_weight_decay=true"));
    // pytorch_optimizer's fixed_decay follows no schedule at all.
    let fixed = to(
        &format!("optax.lion weight_decay=1 lr=1e-4 {RUN}"),
        "pytorch_optimizer.Lion fixed_decay=true",
    );
    assert_eq!(fixed.fidelity, Fidelity::Approximate);
    close(
        shrinks(&read_back(&fixed, RUN), 50).iter().sum(),
        1e-4 * read(&format!("optax.lion learning_rate=1e-4 {RUN}")).run.schedule.unwrap().sum(),
    );
}

#[test]
fn l2_under_adam_cannot_be_decoupled() {
    let adamw = "torch.AdamW weight_decay=0.1 lr=1e-3 data=1000";
    let reasons = [
        ("torch.Adam weight_decay=1e-4 lr=1e-3", "torch.AdamW"),
        (adamw, "torch.Adam decoupled_weight_decay=false"),
        (adamw, "keras.L2"),
        (adamw, "sklearn.LogisticRegression"),
        (adamw, "prior.Gaussian"),
        ("sklearn.LogisticRegression C=1 data=1000", "torch.AdamW"),
        ("pytorch_optimizer.Lion weight_decouple=false weight_decay=0.1", "optax.lion"),
    ]
    .map(|(from, target)| impossible(from, target));
    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn the_half_of_a_penalty() {
    // keras.regularizers.L2 lacks the ½ of torch's λ/2‖θ‖².
    close(exact("torch.SGD weight_decay=5e-4 lr=0.1 momentum=0.9", "keras.L2"), 2.5e-4);
    close(exact("keras.L2 l2=0.01", "torch.SGD"), 0.02);
    close(exact("torch.Adam weight_decay=5e-4", "keras.L2"), 2.5e-4);
}

#[test]
fn another_optimizer_or_another_epsilon_is_not_exact() {
    let adamw = "torch.AdamW weight_decay=0.1 lr=1e-3";
    assert_eq!(approximate(adamw, "optax.lion").lambda(), Some(0.1));
    // llm.c fixes its betas; optax.sgd has no dampening.
    close(exact("torch.AdamW weight_decay=0.1 lr=1e-3 betas=0.9,0.95", "llm_c.adamw"), 0.1);
    let reasons = [
        (adamw, "optax.lion"),
        (adamw, "keras.AdamW"),
        ("torch.Muon weight_decay=0.1 lr=1e-3", "optax.muon"),
        ("torch.Muon weight_decay=0.1 lr=1e-3", "nanochat.Muon"),
        (adamw, "llm_c.adamw"),
        ("torch.SGD weight_decay=0.1 lr=1 momentum=0.9 dampening=0.5", "optax.sgd"),
    ]
    .map(|(from, target)| {
        assert_ne!(to(from, target).fidelity, Fidelity::Exact);
        told(from, target)
    });
    insta::assert_snapshot!(reasons.join("\n"));
}

// ---- SGD: coupled and decoupled ----

/// `steps` of SGD on ½h(w − 1)² with decay, coupled or not; the last weight.
fn sgd(lambda: f64, coupled: bool, rate: f64, momentum: f64, nesterov: bool, steps: usize) -> f64 {
    let (mut w, mut buffer) = (2.0, 0.0);
    for step in 0..steps {
        let mut g = 0.3 * (w - 1.0);
        if coupled {
            g += lambda * w;
        }
        buffer = if step == 0 { g } else { momentum * buffer + g };
        let direction = if nesterov { g + momentum * buffer } else { buffer };
        let decay = if coupled { 0.0 } else { rate * lambda };
        w = (1.0 - decay) * w - rate * direction;
    }
    w
}

#[test]
fn plain_sgd_is_the_same_coupled_and_decoupled() {
    let lambda = exact("torch.SGD weight_decay=0.05 lr=0.1", "timm.SGDW");
    close(lambda, 0.05);
    close(sgd(0.05, true, 0.1, 0.0, false, 200), sgd(lambda, false, 0.1, 0.0, false, 200));
    close(exact("timm.SGDW weight_decay=0.05 lr=0.1", "torch.SGD"), 0.05);
    close(exact("torch.SGD weight_decay=0.05 lr=0.1", "composer.DecoupledSGDW"), 0.005);
    close(exact("torch.SGD weight_decay=0.05 lr=0.1", "optax.sgd"), 0.05);
}

#[test]
fn momentum_passes_a_coupled_penalty_on_as_a_larger_one() {
    for (nesterov, expected) in [(false, 10.0), (true, 10.0)] {
        let conversion = to(
            &format!("torch.SGD weight_decay=1e-3 lr=0.01 momentum=0.9 nesterov={nesterov}"),
            "timm.SGDW",
        );
        assert_eq!(conversion.fidelity, Fidelity::Approximate);
        let lambda = conversion.lambda().unwrap();
        close(lambda, 1e-3 * expected);
        // The same fixed point, reached at nearly the same rate.
        let coupled = sgd(1e-3, true, 0.01, 0.9, nesterov, 5000);
        close(coupled, sgd(lambda, false, 0.01, 0.9, nesterov, 5000));
        // And back again.
        let back = to(
            &format!("timm.SGDW weight_decay={lambda} lr=0.01 momentum=0.9 nesterov={nesterov}"),
            "torch.SGD",
        );
        close(back.lambda().unwrap(), 1e-3);
    }
}

#[test]
fn the_stated_error_of_the_rate_is_the_simulated_one() {
    // Pure decay: no gradient, λη large enough for the second order to show.
    let (lambda, rate, momentum) = (0.1, 0.02, 0.9);
    let conversion = to("torch.SGD weight_decay=0.1 lr=0.02 momentum=0.9", "timm.SGDW");
    let (mut w, mut buffer, mut last) = (1.0f64, 0.0, 1.0);
    for _ in 0..400 {
        last = w;
        buffer = momentum * buffer + lambda * w;
        w -= rate * buffer;
    }
    let simulated = 1.0 - w / last;
    let first_order = rate * conversion.lambda().unwrap();
    let error = 100.0 * (simulated - first_order).abs() / first_order;
    let stated = format!("differ by {error:.2} %");
    assert!(
        conversion.reasons.iter().any(|reason| reason.contains(&stated)),
        "{stated}: {:?}",
        conversion.reasons
    );
}

// ---- Mean, sum, ½, N ----

#[test]
fn a_sum_over_the_batch_takes_the_same_steps() {
    // mean over a batch of 64 → sum: g' = 64 g.
    let conversion = to("torch.SGD weight_decay=5e-4 lr=0.64 batch=64", "torch.SGD reduction=sum");
    assert_eq!(conversion.fidelity, Fidelity::Exact);
    close(conversion.lambda().unwrap(), 5e-4 * 64.0);
    close(key(&conversion, "lr"), 0.01);
    // Adam does not see the scale of the loss but through ε; its coupled λ does.
    let adam = to("torch.Adam weight_decay=1e-4 lr=1e-3 batch=64", "torch.Adam reduction=sum");
    close(adam.lambda().unwrap(), 64e-4);
    close(key(&adam, "eps"), 6.4e-7);
    let adamw = to("torch.AdamW weight_decay=0.1 lr=1e-3 batch=64", "torch.AdamW reduction=sum");
    close(adamw.lambda().unwrap(), 0.1);
    // Without ½: twice the gradient.
    let half =
        to("torch.SGD weight_decay=5e-4 lr=0.1 batch=64 loss=half-mse", "torch.SGD loss=mse");
    close(half.lambda().unwrap(), 1e-3);
    close(key(&half, "lr"), 0.05);
    assert!(attempt("torch.SGD weight_decay=5e-4 lr=0.1", "torch.SGD reduction=sum").is_err());
    assert!(
        attempt("torch.SGD weight_decay=5e-4 lr=0.1 batch=4 loss=nll", "torch.SGD loss=mse")
            .is_err()
    );
}

/// λ such that loss + (λ/2)‖w‖² has the minimum of Σ_i ℓ_i + (P/2)‖w‖².
#[test]
fn mean_cross_entropy_alpha_is_lambda_n() {
    // α = λN, σ² = 1/α.
    let prior = exact("torch.SGD weight_decay=1e-4 lr=0.1 data=50000 loss=nll", "prior.Gaussian");
    close(prior, (1.0 / (1e-4 * 50_000.0f64)).sqrt());
    close(exact("prior.Gaussian std=0.4472135954999579 data=50000 loss=nll", "torch.SGD"), 1e-4);
    // Summed over the data, α = λ.
    close(
        exact("torch.SGD weight_decay=5 lr=0.1 reduction=sum loss=nll", "prior.Gaussian"),
        (1.0 / 5.0f64).sqrt(),
    );
    // Summed over a batch, α = λN/B.
    close(
        exact(
            "torch.SGD weight_decay=5 lr=0.1 reduction=sum loss=nll batch=10 data=100",
            "laplace.prior_precision",
        ),
        50.0,
    );
}

#[test]
fn a_penalty_without_half_doubles_alpha() {
    close(
        exact("keras.L2 l2=1e-4 data=50000 loss=nll", "laplace.prior_precision"),
        2.0 * 1e-4 * 50_000.0,
    );
}

#[test]
fn ridge_alpha_is_noise_over_prior_variance() {
    // λ = α/β: β = 1/σ_noise², α = 1/σ_prior².
    let std = exact("sklearn.Ridge alpha=2 noise_std=0.5", "prior.Gaussian");
    close(std, (0.25f64 / 2.0).sqrt());
    close(exact(&format!("prior.Gaussian std={std:e} noise_std=0.5"), "sklearn.Ridge"), 2.0);
    close(exact("sklearn.Ridge alpha=2 noise_std=0.5", "laplace.prior_precision"), 2.0 / 0.25);
    missing("sklearn.Ridge alpha=2", "prior.Gaussian", "noise_std");
}

#[test]
fn mse_loss_has_no_half_and_divides_by_outputs() {
    // nn.MSELoss over N points and D outputs: P = ½λND; ½-MSE: P = λND.
    let run = "lr=0.1 data=100 outputs=3";
    close(
        exact(&format!("torch.SGD weight_decay=0.02 {run} loss=mse"), "sklearn.Ridge"),
        0.5 * 0.02 * 300.0,
    );
    close(
        exact(&format!("torch.SGD weight_decay=0.02 {run} loss=half-mse"), "sklearn.Ridge"),
        0.02 * 300.0,
    );
    close(exact("sklearn.Ridge alpha=3 data=100 outputs=3 loss=mse", "torch.SGD"), 0.02);
    close(exact("sklearn.Ridge alpha=6 data=100 outputs=3 loss=half-mse", "torch.SGD"), 0.02);
}

#[test]
fn logistic_c_is_the_reciprocal() {
    close(
        exact("laplace.prior_precision prior_precision=4 loss=nll", "sklearn.LogisticRegression"),
        0.25,
    );
    // Mean cross-entropy with weight decay: C = 1/(λN).
    close(exact("torch.SGD weight_decay=1e-3 lr=0.1 data=1000", "sklearn.LogisticRegression"), 1.0);
    close(exact("sklearn.LogisticRegression C=1 data=1000", "torch.SGD"), 1e-3);
    close(
        exact("glmnet.binomial lambda=0.01 alpha=0 data=1000", "sklearn.LogisticRegression"),
        0.1,
    );
    let none = to("torch.SGD weight_decay=0 lr=0.1 data=1000", "sklearn.LogisticRegression");
    assert_eq!(none.lambda(), Some(f64::INFINITY));
    assert!(none.call.unwrap().contains("float('inf')"));
}

#[test]
fn an_intercept_that_one_side_penalises_is_left_out_or_named() {
    for from in [
        "sklearn.Ridge alpha=2 data=100 loss=half-mse",
        "sklearn.LogisticRegression C=0.5 data=100",
    ] {
        let sgd = to(from, "torch.SGD");
        assert_eq!(
            sgd.call.as_deref(),
            Some(
                "torch.optim.SGD([{\"params\": [model.weight], \"weight_decay\": 0.02}, \
                 {\"params\": [model.bias]}], \
                 lr=0.001, momentum=0, dampening=0, nesterov=False)"
            )
        );
    }
    let ridge = "sklearn.Ridge alpha=2 data=100 loss=half-mse";
    insta::assert_snapshot!(told(ridge, "torch.SGD"));
    let named = |from: &str, target: &str| {
        to(from, target)
            .reasons
            .iter()
            .any(|reason| reason.starts_with("exact only without an intercept"))
    };
    assert!(named("sklearn.LogisticRegression C=0.5 data=100", "statsmodels.GLM"));
    assert!(named("statsmodels.Logit alpha=1 data=100", "sklearn.LogisticRegression"));
    assert!(named("torch.SGD weight_decay=0.1 lr=0.1 data=100", "sklearn.LogisticRegression"));
    assert!(named("sklearn.Ridge alpha=2 data=100 loss=half-mse", "optax.sgd"));
    assert!(!named("sklearn.Ridge alpha=2 data=100", "sklearn.ElasticNet"));
    assert!(!named("torch.SGD weight_decay=0.1 lr=0.1", "optax.sgd"));
}

#[test]
fn mup_is_the_same_at_one_width_only() {
    for (from, target) in [
        ("torch.AdamW weight_decay=0.1 lr=1e-3", "mup.MuAdamW"),
        ("mup.MuAdamW weight_decay=0.1 lr=1e-3", "torch.AdamW"),
    ] {
        close(approximate(from, target).lambda().unwrap(), 0.1);
    }
    let adamw = "torch.AdamW weight_decay=0.1 lr=1e-3";
    insta::assert_snapshot!(told(adamw, "mup.MuAdamW"));
    close(exact("mup.MuAdamW weight_decay=0.1 lr=1e-3", "mup.MuAdamW"), 0.1);
}

#[test]
fn a_learning_rate_of_zero_is_refused_as_what_it_is() {
    let message =
        attempt("torch.AdamW weight_decay=0.1 lr=0", "big_vision.adam").unwrap_err().to_string();
    assert!(message.starts_with("lr = 0: "), "{message}");
}

#[test]
fn another_optimizer_keeps_its_own_momenta_and_needs_a_rate_of_its_own() {
    let lion = to("torch.AdamW weight_decay=0.1 lr=6e-4 betas=0.95,0.999", "optax.lion");
    assert_eq!(
        lion.call.as_deref(),
        Some("optax.lion(learning_rate=…, b1=0.9, b2=0.99, weight_decay=0.1)")
    );
    let same = to("torch.AdamW weight_decay=0.1 lr=6e-4 beta1=0.95", "optax.adamw");
    assert_eq!((key(&same, "learning_rate"), key(&same, "b1")), (6e-4, 0.95));
}

#[test]
fn a_share_of_l1_brings_the_solver_that_can_fit_it() {
    let lasso = to("statsmodels.Logit alpha=1 data=100", "sklearn.LogisticRegression");
    assert_eq!(
        lasso.call.as_deref(),
        Some(
            "sklearn.linear_model.LogisticRegression(C=1, l1_ratio=1, solver=\"saga\", \
             max_iter=10000)"
        )
    );
    let ridge = to("glmnet.binomial lambda=0.01 alpha=0 data=100", "sklearn.LogisticRegression");
    assert!(!ridge.call.unwrap().contains("solver"));
}

#[test]
fn elastic_nets() {
    let net = to("sklearn.ElasticNet alpha=0.1 l1_ratio=0.3 data=50", "statsmodels.OLS");
    assert_eq!(net.fidelity, Fidelity::Exact);
    assert_eq!((key(&net, "alpha"), key(&net, "L1_wt")), (0.1, 0.3));
    close(exact("sklearn.Ridge alpha=5 data=50", "sklearn.ElasticNet"), 0.1);
    close(exact("sklearn.ElasticNet alpha=0.1 l1_ratio=0 data=50", "sklearn.Ridge"), 5.0);
    let reasons = [
        ("sklearn.ElasticNet alpha=0.1 l1_ratio=0.3 data=50", "sklearn.Ridge"),
        ("sklearn.Ridge alpha=5 data=50", "sklearn.LogisticRegression"),
        ("sklearn.ElasticNet alpha=0.1 data=50 loss=mse", "torch.SGD"),
    ]
    .map(|(from, target)| impossible(from, target));
    insta::assert_snapshot!(reasons.join("\n"));
    // glmnet: λ/std(y) for ridge, λ for the lasso.
    close(
        exact("sklearn.Ridge alpha=5 data=50 response_std=2", "glmnet.gaussian"),
        5.0 * 2.0 / 50.0,
    );
    let lasso =
        to("sklearn.ElasticNet alpha=0.1 l1_ratio=1 data=50 response_std=2", "glmnet.gaussian");
    close(lasso.lambda().unwrap(), 0.1);
    missing("sklearn.Ridge alpha=5 data=50", "glmnet.gaussian", "response_std");
    missing("sklearn.Ridge alpha=5", "sklearn.ElasticNet", "data=N");
}

#[test]
fn decoupled_sgd_has_an_objective_and_its_momentum_counts() {
    // At rest: λw = g/(1 − μ), so that the penalty is λ(1 − μ).
    let ridge = exact(
        "timm.SGDW weight_decay=0.1 lr=0.01 momentum=0.9 data=20 loss=half-mse",
        "sklearn.Ridge",
    );
    close(ridge, 0.01 * 20.0);
    // ½·0.3(w − 1)²: the minimum of the penalised loss is 0.3/(0.3 + k).
    let rest = sgd(0.1, false, 0.01, 0.9, false, 20_000);
    close(rest, 0.3 / (0.3 + ridge / 20.0));
    impossible(
        "timm.SGDW weight_decay=0.1 lr=0.01 data=20 loss=half-mse corrected_weight_decay=true",
        "sklearn.Ridge",
    );
}

#[test]
fn zero_stays_zero_and_targets_are_checked() {
    close(exact("torch.Adam lr=1e-3 weight_decay=0", "torch.AdamW"), 0.0);
    let told = [
        "optax.adam",
        "optimi.AdamW decouple=true",
        "optimi.AdamW decouple_lr=maybe",
        "torch.SGD reduction=average",
        "",
    ]
    .map(|text| format!("{text}\n    {}", text.parse::<Target>().expect_err(text)));
    insta::assert_snapshot!(told.join("\n"));
}

/// A step at the peak shrinks by as much, whatever the rate of the target is.
#[test]
fn a_target_with_a_rate_of_its_own_has_the_same_shrink() {
    let adamw = "torch.AdamW weight_decay=0.1 lr=3e-4";
    let lion = approximate(adamw, "optax.lion learning_rate=3e-5");
    close(lion.lambda().unwrap(), 1.0);
    close(key(&lion, "learning_rate"), 3e-5);
    // Momentum 0.9 passes the penalty on ten times, and the rate is a hundredth.
    let sgd = "torch.SGD weight_decay=1e-4 lr=0.1 momentum=0.9";
    let found = approximate(sgd, "torch.AdamW lr=1e-3");
    close(found.lambda().unwrap(), 0.1);
    assert!(found.call.unwrap().contains("lr=0.001"));
    // The same optimizer at another rate, and a shrink that no rate enters.
    close(approximate(adamw, "torch.AdamW lr=6e-4").lambda().unwrap(), 0.05);
    close(approximate(adamw, "big_vision.adam lr=6e-4").lambda().unwrap(), 3e-5);
    close(exact(adamw, "torch.AdamW lr=3e-4"), 0.1);
    // A penalty on the loss stays what it is.
    close(
        approximate("torch.SGD weight_decay=1e-4 lr=0.1", "torch.Adam lr=1e-3").lambda().unwrap(),
        1e-4,
    );
    assert!("torch.AdamW lr=0".parse::<Target>().is_err());
    assert!("torch.AdamW lr=fast".parse::<Target>().is_err());
    assert!("sklearn.Ridge lr=1".parse::<Target>().is_err());
}

/// scikit-learn's networks divide the penalty by the rows of the batch: λ = alpha/B.
#[test]
fn networks_of_scikit_learn_divide_alpha_by_the_batch() {
    let alpha = "sklearn.MLPClassifier alpha=0.01 data=2000 batch=200";
    close(exact(alpha, "torch.SGD"), 0.01 / 200.0);
    close(exact(alpha, "torch.Adam"), 0.01 / 200.0);
    // P = N alpha/B = 0.1, and C is its reciprocal.
    close(exact(alpha, "sklearn.LogisticRegression"), 10.0);
    missing("sklearn.MLPRegressor alpha=0.01 data=2000", "torch.Adam loss=half-mse", "batch=");
    // One row at a time, and the mean over all of them.
    close(exact("sklearn.SGDClassifier alpha=1e-4 data=500", "torch.SGD"), 1e-4);
}

/// A shrink that is written down itself is η times PyTorch's λ, and does not follow the rate.
#[test]
fn decay_that_follows_the_schedule_alone_or_nothing() {
    let adamw = "torch.AdamW weight_decay=0.1 lr=1e-3 schedule=constant steps=100";
    close(exact(adamw, "paper.AdamW"), 1e-4);
    // Exact but for where ε is added.
    close(approximate(adamw, "tfa.AdamW").lambda().unwrap(), 1e-4);
    let sgdw = "tfa.SGDW weight_decay=1e-4 learning_rate=0.1 schedule=constant steps=9";
    close(exact(sgdw, "fastai.SGD"), 1e-3);
    close(exact("fastai.SGD lr=0.1 mom=0.9 wd=0.01 decouple_wd=false", "torch.SGD"), 0.01);
    close(exact("deepspeed.FusedAdam weight_decay=0.1", "torch.AdamW"), 0.1);
    impossible("deepspeed.FusedAdam weight_decay=0.1 adam_w_mode=false", "torch.AdamW");
    close(exact("MASS.lm.ridge lambda=3 data=40", "sklearn.Ridge"), 3.0);
}

/// Where one side alone divides the columns by their deviation, the other is told to.
#[test]
fn columns_that_one_side_divides() {
    let there = to("MASS.lm.ridge lambda=3 data=40", "sklearn.Ridge");
    assert!(there.call.unwrap().contains("StandardScaler(), sklearn.linear_model.Ridge(alpha=3)"));
    assert!(there.reasons.iter().any(|reason| reason.contains("divided")), "{:?}", there.reasons);
    let back = to("sklearn.Ridge alpha=3 data=40", "MASS.lm.ridge");
    assert!(back.reasons.iter().any(|reason| reason.contains("divides")), "{:?}", back.reasons);
    let raw = to("sklearn.Ridge alpha=3 data=40", "sklearn.SGDRegressor");
    assert!(!raw.reasons.iter().any(|reason| reason.contains("divide")), "{:?}", raw.reasons);
}

#[test]
fn every_pair_of_entries_has_an_answer() {
    let run = "lr=1e-3 schedule=cosine,warmup=5 steps=50 batch=10 data=100 loss=nll";
    let estimator = "data=100 noise_std=0.5 response_std=2";
    let mut exact = 0;
    for from in library::entries() {
        let lambda = from.lambda_name();
        let rate = from.key(KeyMeaning::LearningRate).is_some();
        let text = match (from.has_steps(), rate) {
            (true, true) => format!("{} {lambda}=0.1 {run}", from.name),
            (true, false) => format!("{} {lambda}=0.1 {}", from.name, run.replace("lr=1e-3 ", "")),
            (false, _) => format!("{} {lambda}=0.1 {estimator}", from.name),
        };
        for to in library::entries() {
            match convert(&read(&text), &Target::new(to)) {
                Ok(conversion) => {
                    assert!(!conversion.reasons.is_empty());
                    assert_eq!(
                        conversion.call.is_none(),
                        conversion.fidelity == Fidelity::Impossible
                    );
                    if let Some(call) = &conversion.call {
                        assert!(!call.contains("NaN") && !call.contains("inf)"), "{call}");
                    }
                    exact += usize::from(conversion.fidelity == Fidelity::Exact);
                    if from.name == to.name {
                        assert_eq!(
                            conversion.fidelity,
                            Fidelity::Exact,
                            "{}: {:?}",
                            from.name,
                            conversion.reasons
                        );
                        close(conversion.lambda().unwrap(), 0.1);
                    }
                }
                Err(error) => assert!(
                    matches!(error, ConventionError::Missing { .. }),
                    "{text} → {}: {error}",
                    to.name
                ),
            }
        }
    }
    assert!(exact > 100, "{exact}");
}

proptest! {
    /// Exact between steps means the same shrink at every step, for any λ, rate and schedule.
    #[test]
    fn exact_conversions_have_the_same_shrinks(
        lambda in 1e-6..2.0f64,
        rate in 1e-6..0.5f64,
        floor in 0.0..1.0f64,
        target in prop::sample::select(vec![
            "optax.adamw", "big_vision.adam", "composer.DecoupledAdamW", "optimi.AdamW \
             decouple_lr=true", "optimi.AdamW decouple_lr=false",
        ]),
    ) {
        let run = format!("schedule=cosine,warmup=3,floor={floor} steps=20");
        let setting = read(&format!("torch.AdamW weight_decay={lambda} lr={rate} {run}"));
        let conversion = convert(&setting, &target.parse().unwrap()).unwrap();
        prop_assert_eq!(conversion.fidelity, Fidelity::Exact);
        let back = read_back(&conversion, &run);
        for (left, right) in shrinks(&setting, 20).iter().zip(shrinks(&back, 20)) {
            prop_assert!((left - right).abs() <= 1e-12 * left.abs());
        }
        let home = convert(&back, &Target::new(setting.entry)).unwrap();
        prop_assert!((home.lambda().unwrap() - lambda).abs() <= 1e-12 * lambda);
        prop_assert_eq!(home.variant.convention, setting.variant.convention);
        prop_assert_eq!(setting.rule(), Some(DecayRule::Decoupled));
    }
}
