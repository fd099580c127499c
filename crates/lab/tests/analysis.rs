//! From run directories to arms, comparisons and verdict, with planted truths.

mod planned;
mod random;
mod synthetic;

use synthetic::{Settings, Truth, settings, study, write_diverged, write_run};
use wd_decay::ScheduleKind;
use wd_lab::page::settling;
use wd_lab::{
    ActsAs, Analysis, AnalysisOptions, ComparisonKind, LabError, Study, analyse,
    analyse_directories, analysis::predicted_rms,
};
use wd_page::Settling;
use wd_page::{Claim, Supported};
use wd_statistics::Standing;

/// Runs every trial of a study as if `truth` were nature, with run-to-run noise of standard
/// deviation `noise`.
fn run_all(study: &Study, noise: f64, truth: impl Fn(&Settings) -> Truth) {
    for trial in study.trials() {
        let settings = settings(trial);
        write_run(&trial.directory, &settings, truth(&settings), noise);
    }
}

fn conclude(study: &Study) -> Analysis {
    analyse(study, &AnalysisOptions::default()).unwrap()
}

#[track_caller]
fn line<'a>(analysis: &'a Analysis, words: &str) -> &'a Claim {
    let found = analysis.verdict.lines.iter().find(|line| line.claim.contains(words));
    found.unwrap_or_else(|| panic!("no line about `{words}` in {:#?}", analysis.verdict.lines))
}

/// What a person reads of a verdict.
fn told(analysis: &Analysis) -> String {
    let verdict = &analysis.verdict;
    let lines = verdict.lines.iter().map(|line| {
        let supported = serde_json::to_value(line.supported).unwrap();
        format!("{}: {}\n    {}", supported.as_str().unwrap(), line.claim, line.finding)
    });
    std::iter::once(verdict.headline.clone()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// Nature as the literature has it: worse early and better late under a decaying schedule, only
/// worse under a constant one, larger late gradients, no change of the gap.
fn force(settings: &Settings) -> Truth {
    let lambda = settings.lambda;
    let (start, end) = match settings.schedule {
        ScheduleKind::Constant => (0.2 * lambda, lambda),
        _ => (0.42 * lambda, if lambda < 0.2 { -0.06 * lambda } else { 0.08 * lambda }),
    };
    Truth { start, end, gap: 0.0, late: 1.0 + 3.0 * lambda, norm: (1.0, 0.6) }
}

#[test]
fn a_planted_force_is_found_with_its_crossing_and_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut study = study(folder.path(), &["decay.lambda=0,0.1,0.3", "run.seed=0..4"]);
    study
        .add(
            &wd_lab::Grid::parse(&[
                "decay.lambda=0,0.1,0.3",
                "schedule.kind=constant",
                "run.seed=0..2",
            ])
            .unwrap(),
        )
        .unwrap();
    study.save().unwrap();
    run_all(&study, 0.001, force);
    let analysis = conclude(&study);

    let labels: Vec<&str> = analysis.arms.iter().map(|arm| arm.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "λ=0, constant",
            "λ=0.1, constant",
            "λ=0.3, constant",
            "λ=0, cosine",
            "λ=0.1, cosine",
            "λ=0.3, cosine"
        ]
    );
    let arm = &analysis.arms[4];
    assert_eq!(arm.seeds, [0, 1, 2, 3, 4]);
    assert_eq!((arm.train_loss.len(), arm.final_validation.n), (60, 5));
    assert!((arm.gap.mean - 0.004).abs() < 0.003);
    assert!((arm.late.late_relative_update.mean / 1.3e-3 - 1.0).abs() < 1e-2);

    let comparison = analysis.comparisons.iter().find(|comparison| comparison.arm == 4).unwrap();
    assert_eq!((comparison.baseline, comparison.kind), (3, ComparisonKind::SameSettings));
    assert!((comparison.final_train.interval.mean + 0.005).abs() < 0.002);
    let crossing = comparison.crossing.unwrap();
    let (low, high) = (crossing.low.unwrap(), crossing.high.unwrap());
    // +0.042 to −0.006 crosses at 42/48 of the run.
    assert!((crossing.fraction - 0.875).abs() < 0.03, "{crossing:?}");
    assert!(low < 0.875 * 240.0 && 0.875 * 240.0 < high, "{crossing:?}");
    let beyond = analysis.comparisons.iter().find(|comparison| comparison.arm == 5).unwrap();
    assert_eq!(beyond.crossing, None, "λ=0.3 stays above");

    let verdict = &analysis.verdict;
    assert_eq!(verdict.acts_as, ActsAs::Force, "{verdict:#?}");
    insta::assert_snapshot!(told(&analysis));
    for (claim, expected) in [
        ("Under a cosine schedule, λ is a force", Supported::Supported),
        (
            "Under a cosine schedule, some λ > 0 ends with a lower validation loss",
            Supported::Supported,
        ),
        ("Under a cosine schedule, some λ > 0 trains worse early", Supported::Supported),
        ("Under a cosine schedule, late gradients", Supported::Supported),
        ("Under a cosine schedule, late relative updates", Supported::Supported),
        ("Under a constant learning rate, every larger λ only raises", Supported::Supported),
        ("Under a constant learning rate, some λ > 0 ends with a lower", Supported::Contradicted),
        ("matrix norms", Supported::Contradicted),
        ("embedding norms", Supported::Contradicted),
    ] {
        let line = line(&analysis, claim);
        assert_eq!(line.supported, expected, "{line:#?}");
    }
    let ratio = |kind: &str| {
        let norms = &analysis.arms[4].weight_rms_by_role;
        norms.iter().find(|norm| norm.kind.as_deref() == Some(kind)).unwrap().ratio.mean
    };
    assert!((ratio("mlp.up") - 1.0).abs() < 0.005 && (ratio("mlp.down") - 0.6).abs() < 0.005);
    let validation = |arm: usize| analysis.arms[arm].final_validation.mean;
    assert!(validation(4) < validation(3) && validation(4) < validation(5), "λ=0.1 is best");

    // Everything that the report needs is serialisable, with absent numbers as null.
    let json = serde_json::to_value(&analysis).unwrap();
    assert_eq!(json["verdict"]["acts_as"], "force");
    assert_eq!(json["arms"][4]["seeds"], serde_json::json!([0, 1, 2, 3, 4]));
}

#[test]
fn a_planted_prior_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1,0.3", "run.seed=0..4"]);
    run_all(&study, 0.001, |settings| Truth {
        start: 0.0,
        end: 0.05 * settings.lambda,
        gap: -0.3 * settings.lambda,
        late: 1.0,
        norm: (1.0, 1.0),
    });
    let analysis = conclude(&study);
    assert_eq!(analysis.verdict.acts_as, ActsAs::Prior, "{:#?}", analysis.verdict);
    for (claim, expected) in [
        ("λ is a force", Supported::Contradicted),
        ("some λ > 0 ends with a lower validation loss", Supported::Supported),
        ("matrix norms", Supported::Supported),
    ] {
        assert_eq!(line(&analysis, claim).supported, expected, "{claim}");
    }
    for (comparison, lambda) in analysis.comparisons.iter().zip([0.1, 0.3]) {
        let change = comparison.gap.interval.mean;
        assert!((change + 0.3 * lambda).abs() < 0.005, "the gap shrinks: {change}");
    }
    insta::assert_snapshot!(told(&analysis));
}

#[test]
fn no_effect_and_few_seeds_stay_undecided_and_say_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1", "run.seed=0..1"]);
    let idle = |_: &Settings| Truth { late: 1.0, norm: (1.0, 1.0), ..Truth::default() };
    run_all(&study, 0.01, idle);
    let analysis = conclude(&study);
    assert_eq!(analysis.verdict.acts_as, ActsAs::Undecided);
    let decided: Vec<&Claim> = analysis
        .verdict
        .lines
        .iter()
        .filter(|line| {
            !line.claim.contains("norm recursion") && line.supported != Supported::Undecided
        })
        .collect();
    assert!(decided.is_empty(), "{decided:#?}");
    insta::assert_snapshot!(told(&analysis));
    for comparison in &analysis.comparisons {
        assert!(comparison.final_train.more_seeds.is_some_and(|more| more >= 1));
    }
}

#[test]
fn many_seeds_without_effect_show_that_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1", "run.seed=0..7"]);
    run_all(&study, 0.002, |_| Truth { late: 1.0, norm: (1.0, 1.0), ..Truth::default() });
    let analysis = conclude(&study);
    assert_eq!(analysis.verdict.acts_as, ActsAs::Neither, "{:#?}", analysis.verdict);
}

#[test]
fn each_lambda_at_its_own_best_learning_rate() {
    // The best rate is 0.01 without decay and 0.005 with it, equally good: λ only moves the best
    // rate.
    let moves_the_rate = |settings: &Settings| {
        let best = if settings.lambda > 0.0 { 0.005_f64 } else { 0.01 };
        Truth {
            end: 0.05 * (settings.learning_rate / best).ln().powi(2),
            late: 1.0,
            norm: (1.0, 1.0),
            ..Truth::default()
        }
    };
    let axes = ["decay.lambda=0,0.1", "optim.lr=0.0025,0.005,0.01,0.02", "run.seed=0..3"];
    let folder = tempfile::tempdir().unwrap();
    let grid = study(folder.path(), &axes);
    run_all(&grid, 0.001, moves_the_rate);
    let analysis = conclude(&grid);
    let tuned: Vec<_> = analysis
        .comparisons
        .iter()
        .filter(|comparison| comparison.kind == ComparisonKind::BestLearningRate)
        .collect();
    assert_eq!(tuned.len(), 1);
    assert_eq!(analysis.arms[tuned[0].arm].peak_learning_rate, Some(0.005));
    assert_eq!(analysis.arms[tuned[0].baseline].peak_learning_rate, Some(0.01));
    let survives = line(&analysis, "gains when each λ has its best");
    assert_eq!(survives.supported, Supported::Undecided, "{survives:#?}");
    insta::assert_snapshot!("the_best_rate_moves", survives.finding);

    // A gain at the tuned rate survives.
    let folder = tempfile::tempdir().unwrap();
    let grid = study(folder.path(), &axes);
    run_all(&grid, 0.001, |settings| Truth {
        end: moves_the_rate(settings).end - if settings.lambda > 0.0 { 0.02 } else { 0.0 },
        ..moves_the_rate(settings)
    });
    let analysis = conclude(&grid);
    let survives = line(&analysis, "gains when each λ has its best");
    assert_eq!(survives.supported, Supported::Supported, "{survives:#?}");

    // The same gain, but λ = 0 was never tried at its best rate: nothing is proven.
    let folder = tempfile::tempdir().unwrap();
    let grid = study(
        folder.path(),
        &["decay.lambda=0,0.1", "optim.lr=0.0025,0.005,0.01", "run.seed=0..3"],
    );
    run_all(&grid, 0.001, |settings| Truth {
        end: moves_the_rate(settings).end - if settings.lambda > 0.0 { 0.02 } else { 0.0 },
        ..moves_the_rate(settings)
    });
    let analysis = conclude(&grid);
    let survives = line(&analysis, "gains when each λ has its best");
    assert_eq!(survives.supported, Supported::Undecided, "{survives:#?}");
    insta::assert_snapshot!("the_best_rate_lies_at_the_edge", survives.finding);
}

#[test]
fn a_baseline_serves_every_rule() {
    let folder = tempfile::tempdir().unwrap();
    let mut rules = study(folder.path(), &["decay.lambda=0", "run.seed=0..2"]);
    let grid = ["decay.lambda=0.1,0.3", "decay.rule=decoupled,independent", "run.seed=0..2"];
    rules.add(&wd_lab::Grid::parse(&grid).unwrap()).unwrap();
    rules.save().unwrap();
    run_all(&rules, 0.001, force);
    let analysis = conclude(&rules);
    assert_eq!(analysis.comparisons.len(), 4);
    assert!(analysis.comparisons.iter().all(|comparison| comparison.baseline == 0));
    // Two rules are two families, each with its own correction and its own lines.
    assert_eq!(
        analysis.verdict.lines.iter().filter(|line| line.claim.contains("λ is a force")).count(),
        2
    );
    line(&analysis, "Under a cosine schedule, decay.rule=independent, λ is a force");
}

#[test]
fn diverged_and_unfinished_trials_are_counted_and_in_no_mean() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1", "run.seed=0..4"]);
    for trial in study.trials() {
        let settings = settings(trial);
        match (settings.lambda > 0.0, settings.seed) {
            (false, 1) => write_diverged(&trial.directory, &settings, 77),
            (true, 4) => {}
            _ => write_run(&trial.directory, &settings, force(&settings), 0.001),
        }
    }
    let analysis = conclude(&study);
    let (without, with) = (&analysis.arms[0], &analysis.arms[1]);
    assert_eq!(without.seeds, [0, 2, 3, 4]);
    assert_eq!((without.diverged[0].seed, without.diverged[0].step), (1, 77));
    assert_eq!(with.unfinished, [4]);
    let seeds: Vec<u64> =
        analysis.comparisons[0].final_train.per_seed.iter().map(|pair| pair.0).collect();
    assert_eq!(seeds, [0, 2, 3], "only seeds with both runs");
    let diverged = line(&analysis, "Every trial stays finite");
    assert_eq!(
        diverged.finding,
        "1 of 10 trials diverged and in no mean: λ=0 (seed 1 at step 77)."
    );
    assert_eq!(
        line(&analysis, "The evidence is complete").finding,
        "1 of 10 trials unfinished and in no mean: λ=0.1 (seed 4). The command that began the study finishes them."
    );
    assert_eq!(line(&analysis, "The evidence is complete").supported, Supported::Undecided);
}

#[test]
fn a_decay_that_does_nothing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1", "run.seed=0..2"]);
    for trial in study.trials() {
        let truth = Truth { late: 1.0, norm: (1.0, 1.0), ..Truth::default() };
        let settings = settings(trial);
        write_run(&trial.directory, &settings, truth, 0.0);
    }
    let analysis = conclude(&study);
    let idle = line(&analysis, "reaches the weights");
    assert_eq!(idle.supported, Supported::Contradicted);
    assert!(analysis.comparisons[0].final_train.is_identical());
}

#[test]
fn one_seed_gives_numbers_and_no_claims() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1"]);
    run_all(&study, 0.001, force);
    let analysis = conclude(&study);
    let comparison = &analysis.comparisons[0];
    assert!(comparison.final_train.interval.low.is_nan());
    assert_eq!(
        (comparison.final_train.p_value, comparison.final_train.more_seeds, comparison.crossing),
        (None, None, None)
    );
    assert_eq!(analysis.verdict.acts_as, ActsAs::Undecided);
    let json = serde_json::to_value(&analysis).unwrap();
    assert!(json["comparisons"][0]["final_train"]["interval"]["low"].is_null());
}

#[test]
fn run_directories_without_a_study_are_analysed_by_their_own_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1", "run.seed=0..2"]);
    run_all(&study, 0.001, force);
    let directories: Vec<_> = study.trials().iter().map(|trial| trial.directory.clone()).collect();
    for trial in study.trials() {
        std::fs::write(trial.directory.join("config.toml"), &trial.configuration).unwrap();
    }
    let (alone, _) = analyse_directories(&directories, &AnalysisOptions::default()).unwrap();
    let json = |analysis: &Analysis| serde_json::to_string(analysis).unwrap();
    assert_eq!(json(&alone), json(&conclude(&study)));
}

#[test]
fn nothing_to_analyse_says_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1"]);
    let error = analyse(&study, &AnalysisOptions::default()).unwrap_err();
    assert!(matches!(error, LabError::NothingToAnalyse { .. }));
    assert_eq!(
        error.to_string(),
        "none of the 2 trials has finished; run the sweep first; the same command continues what is unfinished"
    );
}

#[test]
fn damaged_metrics_are_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0,0.1"]);
    run_all(&study, 0.001, force);
    let metrics = study.trials()[0].directory.join("metrics.bin");
    std::fs::write(&metrics, b"not metrics").unwrap();
    let error = analyse(&study, &AnalysisOptions::default()).unwrap_err().to_string();
    assert!(error.contains("metrics.bin"), "{error}");
}

#[test]
fn a_held_norm_is_predicted_to_stay() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=1", "decay.rule=hyperball"]);
    let mut plan = synthetic::plan(&settings(&study.trials()[0]));
    plan.tensors[0].lambda = 0.0;
    let of = |tensor: usize| predicted_rms(&plan, &[&plan.tensors[tensor]]).unwrap();
    assert_eq!(of(1), vec![0.08; plan.steps as usize]);
    // A tensor that is not held does its random walk.
    assert!(of(0).last().unwrap() > &0.085);
}

#[test]
fn nothing_is_predicted_of_weights_that_decay_to_an_anchor() {
    for (axis, predicts) in [("run.seed=0", true), ("decay.anchor.norm=1.0", false)] {
        let folder = tempfile::tempdir().unwrap();
        let study = study(folder.path(), &["decay.lambda=0.1", axis]);
        run_all(&study, 0.0, |_| Truth { late: 1.0, norm: (1.0, 1.0), ..Truth::default() });
        let norms = &conclude(&study).arms[0].weight_rms_by_role;
        assert!(!norms.is_empty());
        for norm in norms {
            assert_eq!(norm.predicted.is_empty(), !predicts, "{axis}: {norm:?}");
        }
    }
}

#[test]
fn the_good_lambda_are_a_set_and_the_open_ones_have_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["decay.lambda=0.05,0.1,0.2,0.8", "run.seed=0..4"]);
    // Flat but for the largest.
    run_all(&study, 0.0015, |settings| Truth {
        end: if settings.lambda > 0.5 { 0.2 } else { 0.0 },
        ..force(settings)
    });
    let analysis = conclude(&study);
    let [near] = analysis.near_best.as_slice() else { panic!("{:?}", analysis.near_best) };
    let lambdas: Vec<f64> = near.arms.iter().map(|arm| analysis.arms[*arm].lambda).collect();
    assert_eq!(lambdas, [0.05, 0.1, 0.2, 0.8]);
    assert!(near.is_paired && near.is_validation);
    assert_eq!(near.nearest.arms[3].standing, Standing::Worse);
    let open: Vec<f64> = lambdas
        .iter()
        .zip(&near.nearest.arms)
        .filter(|(_, found)| found.standing == Standing::Open)
        .map(|(lambda, _)| *lambda)
        .collect();
    assert!(!open.is_empty(), "{near:?}");
    // There is no λ = 0, so nothing is compared with it; the set is said all the same.
    assert!(analysis.comparisons.is_empty());
    let settling = settling(&study, &analysis);
    let [Settling { what, command }] = settling.as_slice() else { panic!("{settling:?} {near:?}") };
    assert!(what.starts_with("Which λ are as good as the best: "), "{what}");
    assert!(command.starts_with("wd sweep ") && command.contains("run.seed=5.."), "{command}");
    // What the command says is a grid of this study.
    let axes: Vec<&str> = command.split(' ').filter(|word| word.contains('=')).collect();
    let mut study = study;
    let before = study.trials().len();
    study.add(&wd_lab::Grid::parse(&axes).unwrap()).unwrap();
    assert!(study.trials().len() > before, "{axes:?}");
}
