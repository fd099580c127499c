//! Grids and settings, as people type them.

use proptest::prelude::*;
use wd_lab::configuration::{changes, flatten};
use wd_lab::setting::apply;
use wd_lab::{Axis, Grid, LabError, Setting, Study};

fn values(argument: &str) -> Vec<String> {
    let axis: Axis = argument.parse().unwrap();
    axis.settings().iter().map(Setting::value).collect()
}

#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let error = Grid::parse(arguments).unwrap_err();
    assert!(matches!(error, LabError::Argument { .. }));
    error.to_string()
}

#[test]
fn lists_ranges_and_logarithms() {
    assert_eq!(values("decay.lambda=0,0.05,1e-1,.3"), ["0", "0.05", "0.1", "0.3"]);
    assert_eq!(values("run.seed=0..3"), ["0", "1", "2", "3"]);
    assert_eq!(values("run.seed=-1..1,7"), ["-1", "0", "1", "7"]);
    assert_eq!(values("optim.lr=log(1e-3..1,4)"), ["0.001", "0.01", "0.1", "1"]);
    assert_eq!(values("optim.lr=0, log(1e-3 .. 1e-2, 3)"), ["0", "0.001", "0.003162", "0.01"]);
    assert_eq!(values("schedule.kind=cosine,constant"), ["cosine", "constant"]);
    assert_eq!(values("model.bias=true,false"), ["true", "false"]);
    assert_eq!(values("x.betas=[0.9, 0.95],[0.9, 0.99]"), ["[0.9, 0.95]", "[0.9, 0.99]"]);
    assert_eq!(values("data.path=../corpora/a,\"b, c\""), ["../corpora/a", "b, c"]);
    assert_eq!(values("optim.lr=1e-7"), ["1e-7"]);
}

#[test]
fn values_are_typed() {
    let text = apply(
        "",
        &["a.i=3", "a.f=3.0", "a.b=true", "a.s=cosine", "a.q=\"3\"", "a.h=.5"]
            .map(|setting| setting.parse().unwrap()),
    )
    .unwrap();
    assert_eq!(text, "[a]\ni = 3\nf = 3.0\nb = true\ns = \"cosine\"\nq = \"3\"\nh = 0.5\n");
}

#[test]
fn settings_keep_the_rest_of_the_file() {
    let base = "# tuned by hand\n[optim]\nlr = 1e-3 # at λ = 0\n\n[model]\nsize = { width = 64 }\n";
    let settings: Vec<Setting> =
        ["optim.lr=8e-3", "model.size.width=128", "decay.overrides.\"block.*\"=0.05"]
            .iter()
            .map(|setting| setting.parse().unwrap())
            .collect();
    let text = apply(base, &settings).unwrap();
    assert_eq!(
        text,
        "# tuned by hand\n[optim]\nlr = 8e-3 # at λ = 0\n\n[model]\nsize = { width = 128 }\n\n\
         [decay.overrides]\n\"block.*\" = 0.05\n"
    );
    let error = apply(base, &["optim.lr.peak=1".parse().unwrap()]).unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot set `optim.lr.peak`: `optim.lr` is not a table in the base configuration"
    );
    assert!(matches!(apply("a = ", &[]), Err(LabError::Toml(_))));
}

#[test]
fn configurations_are_compared_by_meaning() {
    let a = flatten("b = 2\n[a]\nx = 1.0 # one\nlist = [1, 2.50]\n").unwrap();
    let b = flatten("a = { x = 1, list = [1,2.5] }\nb = 2.0\n").unwrap();
    assert_eq!(a, b);
    let c = flatten("b = 3\nc = \"x\"\n[a]\nx = 1\n").unwrap();
    assert_eq!(
        changes(&a, &c),
        ["a.list was [1, 2.5], is absent", "b was 2, is 3", "c was absent, is x"]
    );
}

#[test]
fn the_product_has_the_seed_slowest_so_that_pairs_complete_early() {
    let grid =
        Grid::parse(&["run.seed=0..1", "decay.lambda=0,0.1", "schedule.kind=cosine"]).unwrap();
    let points: Vec<String> = grid
        .points()
        .iter()
        .map(|point| point.iter().map(Setting::to_string).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        points,
        [
            "decay.lambda=0 schedule.kind=cosine run.seed=0",
            "decay.lambda=0.1 schedule.kind=cosine run.seed=0",
            "decay.lambda=0 schedule.kind=cosine run.seed=1",
            "decay.lambda=0.1 schedule.kind=cosine run.seed=1",
        ]
    );
    let empty: [&str; 0] = [];
    assert_eq!(Grid::parse(&empty).unwrap().points(), vec![Vec::<Setting>::new()]);
}

#[test]
fn errors_name_the_argument_and_the_fix() {
    for (arguments, message) in [
        (
            vec!["decay.lambda"],
            "`decay.lambda`: there is no `=`; write key=value, for example decay.lambda=0,0.1",
        ),
        (
            vec!["decay.lambda="],
            "`decay.lambda=`: there is no value; write decay.lambda=0,0.1 or decay.lambda=0..3",
        ),
        (
            vec!["decay.lambda=0,,1"],
            "`decay.lambda=0,,1`: one of the values is empty; write decay.lambda=0,0.1 or decay.lambda=0..3",
        ),
        (
            vec!["decay.lambda=0,0.1", "decay.lambda=0.3"],
            "`decay.lambda=0.3`: `decay.lambda` is given twice; give all its values in one list: decay.lambda=a,b,c",
        ),
        (
            vec!["decay.lambda=0.1,0.10"],
            "`decay.lambda=0.1,0.10`: the value 0.1 is there twice; write each value once; to repeat a run, vary run.seed",
        ),
        (vec!["run.seed=3..0"], "`run.seed=3..0`: the range `3..0` is empty; write run.seed=0..3"),
        (
            vec!["decay.lambda=0.1..0.3"],
            "`decay.lambda=0.1..0.3`: `0.1..0.3` is not a range of whole numbers; write decay.lambda=0..3 (3 is included), \
             a list such as decay.lambda=0.1,0.3, or decay.lambda=log(1e-3..1,7)",
        ),
        (
            vec!["optim.lr=log(0..1,3)"],
            "`optim.lr=log(0..1,3)`: the ends of `log(0..1,3)` are not 0 < low < high; write optim.lr=log(1e-3..1,7): two \
             positive ends and the number of values",
        ),
        (
            vec!["optim.lr=log(1..2)"],
            "`optim.lr=log(1..2)`: `log(1..2)` cannot be read; write optim.lr=log(1e-3..1,7): two positive ends and the \
             number of values",
        ),
        (
            vec!["optim.lr=linspace(0,1,3)"],
            "`optim.lr=linspace(0,1,3)`: `linspace(0,1,3)` is not known; the only function is log, as in \
             optim.lr=log(1e-3..1,7)",
        ),
        (
            vec!["optim.lr=log(1..2,3"],
            "`optim.lr=log(1..2,3`: a quote or bracket is not closed; close it",
        ),
        (
            vec!["a b=1"],
            "`a b`: this is not a configuration key; write a dotted key such as optim.lr, with quotes around parts that \
             hold dots or stars",
        ),
        (
            vec!["run.seed=0..100000000"],
            "`run.seed=0..100000000`: the range `0..100000000` has more than 10000 values; take a shorter one",
        ),
        (
            vec!["run.seed=0..999", "decay.lambda=0,1,2,3,4,5,6,7,8,9,10"],
            "`decay.lambda=0,1,2,3,4,5,6,7,8,9,10`: the grid has more than 10000 trials; take fewer values or split the \
             study",
        ),
    ] {
        assert_eq!(refused(&arguments), message);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_typed_panics(argument in ".{0,40}", key in "[a-z.\"]{0,8}", value in "[-0-9a-z.,(){}\\[\\]\"' ]{0,24}") {
        let _ = argument.parse::<Axis>();
        let _ = argument.parse::<Setting>();
        let _ = format!("{key}={value}").parse::<Axis>();
        let _ = format!("{key}={value}").parse::<Setting>();
        let _ = flatten(&argument);
    }

    #[test]
    fn an_axis_reads_back_as_itself(values in prop::collection::hash_set(any::<i32>(), 1..6)) {
        let list: Vec<String> = values.iter().map(|value| (f64::from(*value) * 1e-7).to_string()).collect();
        let axis: Axis = format!("optim.lr={}", list.join(",")).parse().unwrap();
        let again: Axis = axis.to_string().parse().unwrap();
        prop_assert_eq!(axis.settings(), again.settings());
        let read: Vec<f64> = axis.settings().iter().map(|setting| setting.number().unwrap()).collect();
        let typed: Vec<f64> = list.iter().map(|value| value.parse().unwrap()).collect();
        prop_assert_eq!(read, typed);
    }

    #[test]
    fn text_reads_back_as_itself(text in "\\PC{1,20}") {
        let text = text.trim().to_owned();
        prop_assume!(!text.is_empty());
        let quoted = toml_edit::Value::from(text.as_str()).to_string();
        let setting = Setting::new("a.key", &quoted).unwrap();
        let again: Setting = setting.to_string().parse().unwrap();
        prop_assert_eq!(&setting, &again);
        let flat = flatten(&apply("", &[again]).unwrap()).unwrap();
        prop_assert_eq!(&flat["a.key"], &setting.value());
    }

    #[test]
    fn a_grid_is_the_product_of_its_axes_with_distinct_legal_names(
        sizes in prop::collection::vec(1..5_usize, 1..4),
        seeds in 1..4_usize,
    ) {
        let mut arguments: Vec<String> = sizes
            .iter()
            .enumerate()
            .map(|(axis, size)| format!("axis.{}=0..{}", ["x", "y", "z"][axis], size - 1))
            .collect();
        arguments.push(format!("run.seed=0..{}", seeds - 1));
        let points = Grid::parse(&arguments).unwrap().points();
        let product = sizes.iter().product::<usize>() * seeds;
        prop_assert_eq!(points.len(), product);
        let mut study = Study::open_or_create("no folder".as_ref(), "t", "").unwrap();
        let trials = study.add(&Grid::parse(&arguments).unwrap()).unwrap();
        let names: std::collections::HashSet<String> = trials.into_iter().map(|trial| trial.name).collect();
        prop_assert_eq!(names.len(), product);
        for name in names {
            prop_assert!(name.len() <= 130 && !name.contains(['/', '\\', '\0', ' ', '%']));
        }
        // The first complete set of pairs comes before the second seed begins.
        prop_assert!(points[..product / seeds].iter().all(|point| point.last().unwrap().value() == "0"));
    }
}
