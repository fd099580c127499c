//! One table under every λ, as sections of a page.

use wd_page::figure::{
    Colour, Labels, Mark, Moment, Panel, PanelFigure, Reference, Series, Transform,
};
use wd_page::{Content, FigureBlock, Page, Section, Table, counted, number};

use crate::prior::path::{AtLambda, Draw, LambdaPath};

/// Coefficients that are drawn.
const DRAWN: usize = 10;
/// What λ is, under every figure.
const AXIS: &str = "λ = α/β on standardised columns";

impl LambdaPath {
    /// What a λ means, as a page.
    pub fn page(&self, at: &AtLambda, draw: Draw) -> Page {
        let point = &at.point;
        let best = &self.best.point;
        let fact = |name: &str, value: String| (name.to_owned(), value);
        let rounded = |value: f64| number::short(number::rounded(value));
        Page {
            kind: "λ in a linear model",
            title: format!("λ = {}", rounded(point.lambda)),
            lead: lead(self, at),
            regime: "λ weighs ‖w‖² beside the summed squared error over the rows, on columns \
                     divided by their standard deviation: λ = α/β, noise variance over prior \
                     variance, and σ = 1/√α is the prior of a standardised coefficient."
                .to_owned(),
            facts: vec![
                fact(
                    "Effective parameters",
                    format!("{} of {}", rounded(point.effective_parameters), self.columns.len()),
                ),
                fact("Variance explained", number::percent(at.explained)),
                fact("Prior σ", rounded(1.0 / point.alpha.sqrt())),
                fact("Noise", rounded(1.0 / point.beta.sqrt())),
                fact(
                    "Evidence below its highest",
                    format!(
                        "{} nats",
                        number::fixed((best.log_evidence - point.log_evidence).max(0.0), 2)
                    ),
                ),
                fact("Highest evidence at", format!("λ = {}", rounded(best.lambda))),
            ],
            sections: vec![
                Section::full(
                    "criteria",
                    "What each criterion says of λ",
                    vec![self.criteria(point.lambda)],
                )
                .named("Criteria"),
                Section::full(
                    "coefficients",
                    "What λ does to the coefficients",
                    vec![self.paths(point.lambda), Content::Table(self.table_of_coefficients(at))],
                )
                .named("Coefficients"),
                self.sample(at, draw),
            ],
        }
    }

    fn criteria(&self, lambda: f64) -> Content {
        let along = |values: &mut dyn Iterator<Item = f64>| {
            self.lambdas
                .iter()
                .zip(values)
                .map(|(x, y)| wd_page::figure::Point::at(*x, y))
                .collect()
        };
        let mut evidence = Panel::new("Log evidence ln p(y | λ) (nats)", 170.0);
        let best = self.best.point.log_evidence;
        let lowest =
            self.points.iter().map(|point| point.log_evidence).fold(f64::INFINITY, f64::min);
        let depth = (best - lowest).clamp(4.0, 60.0);
        evidence.domain = Some((best - depth, best + 0.08 * depth));
        evidence.series = vec![Series::new(
            "evidence",
            Colour::Ink,
            Mark::Line,
            along(&mut self.points.iter().map(|point| point.log_evidence)),
        )];
        let mut errors = Panel::new("Mean squared error", 190.0);
        errors.transform = Transform::Log;
        let rows = self.rows() as f64;
        let training = &mut self.points.iter().map(|point| point.residual_sum_of_squares / rows);
        errors.series = vec![
            Series::new("training rows", Colour::Baseline, Mark::Line, along(training)),
            Series::new(
                "leave-one-out",
                Colour::Sequence(2),
                Mark::Line,
                along(&mut self.leave_one_out.iter().copied()),
            ),
            Series::new(
                "10 folds",
                Colour::Sequence(9),
                Mark::Line,
                along(&mut self.folds.mean_squared_errors.iter().copied()),
            ),
        ];
        for (values, colour) in [
            (&self.leave_one_out, Colour::Sequence(2)),
            (&self.folds.mean_squared_errors, Colour::Sequence(9)),
        ] {
            errors.series.extend(self.least(values).map(|place| {
                let point = wd_page::figure::Point::at(self.lambdas[place], values[place]);
                Series::new("", colour, Mark::Rings, vec![point])
            }));
        }
        let mut gamma = Panel::new("Effective parameters γ", 120.0);
        gamma.domain = Some((0.0, 1.04 * self.columns.len() as f64));
        gamma.series = vec![Series::new(
            "γ",
            Colour::Ink,
            Mark::Line,
            along(&mut self.points.iter().map(|point| point.effective_parameters)),
        )];
        let mut panels = vec![evidence, errors, gamma];
        panels[0].moments.push(marker(lambda, true));
        panels[1..].iter_mut().for_each(|panel| panel.moments.push(marker(lambda, false)));
        FigureBlock::of_panels(
            PanelFigure::over("path-criteria", AXIS, panels, 1),
            "Evidence, errors and effective parameters over λ.",
            "Look at how flat the criteria are around their best: within it λ hardly matters. Rings \
             mark the least error of a criterion, the upright line the λ that is chosen above. The \
             folds are those of `wd evidence --compare cv:10` with its seed of 0.",
            number::measured,
        )
        .into()
    }

    fn paths(&self, lambda: f64) -> Content {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        let largest = |column: usize| {
            let row = (0..self.lambdas.len()).map(|place| self.coefficients[(column, place)].abs());
            row.fold(0.0, f64::max)
        };
        order.sort_by(|a, b| largest(*b).total_cmp(&largest(*a)));
        order.truncate(DRAWN);
        let mut panel = Panel::new("Coefficient of the standardised column", 260.0);
        for (column, colour) in order.iter().zip(Colour::sequence(order.len())) {
            let points = self.lambdas.iter().enumerate().map(|(place, lambda)| {
                wd_page::figure::Point::at(*lambda, self.coefficients[(*column, place)])
            });
            let name = &self.columns[*column];
            panel.series.push(Series::new(name, colour, Mark::Line, points.collect()));
        }
        panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
        panel.moments.push(marker(lambda, true));
        FigureBlock::of_panels(
            PanelFigure::over("path-coefficients", AXIS, vec![panel], 1),
            "Coefficients along λ.",
            "Look at how the prior draws correlated columns together before it draws all of them \
             to 0.",
            number::measured,
        )
        .into()
    }

    fn table_of_coefficients(&self, at: &AtLambda) -> Table {
        let columns = ["column", "maximum likelihood, λ = 0", "at this λ", "shrunk to"];
        let mut table = Table::new(&columns, 1);
        for (place, name) in self.columns.iter().enumerate() {
            let (free, held) = (at.unpenalized[place], at.standardized[place]);
            table.rows.push(vec![
                name.clone(),
                number::measured(free),
                number::measured(held),
                number::percent(held / free),
            ]);
        }
        table
    }

    /// What a small sample teaches.
    fn sample(&self, at: &AtLambda, draw: Draw) -> Section {
        let sample = &at.sample;
        let line = |values: &[f64]| {
            let pairs = sample.lambdas.iter().zip(values);
            pairs.map(|(x, y)| wd_page::figure::Point::at(*x, *y)).collect::<Vec<_>>()
        };
        let named = ["D₁ itself", "fresh rows like D₁", "D₂, shifted rows"];
        let values = [&sample.training, &sample.fresh, &sample.shifted];
        let panels = named.iter().zip(values).enumerate().map(|(place, (name, values))| {
            let mut panel = Panel::new(*name, 180.0);
            let free = sample.maximum_likelihood[place];
            panel.series = vec![
                Series::new("MAP at each λ", Colour::Sequence(6), Mark::Line, line(values)),
                Series::new(
                    "MAP at this λ",
                    Colour::Ink,
                    Mark::Dots,
                    vec![wd_page::figure::Point::at(at.point.lambda, sample.at_lambda[place])],
                ),
            ];
            panel.references.push(Reference {
                y: free,
                label: format!("MLE: {}", number::fixed(free, 3)),
                dotted: false,
            });
            panel.moments.push(marker(at.point.lambda, false));
            panel.domain = domain(values, free);
            panel
        });
        let shifted_by = self.columns.get(draw.shifted_by).map_or("", String::as_str);
        let figure = PanelFigure {
            labels: Labels::Key,
            ..PanelFigure::over("path-sample", AXIS, panels.collect(), 3)
        };
        let figure = FigureBlock::of_panels(
            figure,
            "What one small sample teaches.",
            &format!(
                "Errors are in units of the target's variance: 1 is as bad as the mean. D₁ is {} \
                 drawn from the two thirds with the lowest {shifted_by}, draw {}; D₂ is the third \
                 with the highest, of which no sample has a row. The level line is maximum \
                 likelihood. Look at whether the curve dips below it, and whether at the same λ on \
                 D₂ as on fresh rows. Another draw shows how much of it is chance.",
                counted(sample.rows, "row"),
                draw.seed
            ),
            number::measured,
        );
        let mut table = Table::new(&["rows", "MLE, λ = 0", "MAP at this λ", "MAP − MLE"], 1);
        for (place, name) in named.iter().enumerate() {
            let (free, held) = (sample.maximum_likelihood[place], sample.at_lambda[place]);
            table.rows.push(vec![
                (*name).to_owned(),
                number::fixed(free, 3),
                number::fixed(held, 3),
                number::signed(held - free, 3),
            ]);
        }
        let contents = vec![figure.into(), Content::Table(table)];
        Section::full("sample", "MLE and MAP on a small sample, and on shifted rows", contents)
            .named("Small sample")
    }
}

/// The upright line at λ.
fn marker(lambda: f64, is_labelled: bool) -> Moment {
    let label = match is_labelled {
        true => format!("λ = {}", number::short(number::rounded(lambda))),
        false => String::new(),
    };
    Moment { x: lambda, y: f64::NAN, label, colour: Colour::Ink }
}

/// What holds the curve, and the level of maximum likelihood as far as it is not far above.
fn domain(values: &[f64], free: f64) -> Option<(f64, f64)> {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min).min(free);
    let high = finite().fold(0.0, f64::max).max(free).min(4.0 * low.max(0.3));
    (low < high).then_some((low - 0.06 * (high - low), high + 0.1 * (high - low)))
}

/// What was found, in one sentence.
fn lead(path: &LambdaPath, at: &AtLambda) -> String {
    let (lambda, best) = (at.point.lambda, path.best.point.lambda);
    let lost = path.best.point.log_evidence - at.point.log_evidence;
    let stands = match path.best.interval {
        Some((low, high)) if (low..=high).contains(&lambda) => {
            "lies within the 95 % interval of the evidence".to_owned()
        }
        _ if lambda < best => {
            format!("lies below what the evidence prefers, by {} nats", number::fixed(lost, 1))
        }
        _ => format!("lies above what the evidence prefers, by {} nats", number::fixed(lost, 1)),
    };
    let [_, fresh, shifted] = at.sample.at_lambda;
    let [_, free, free_shifted] = at.sample.maximum_likelihood;
    let helps = |held: f64, free: f64| match number::fixed(held, 3) == number::fixed(free, 3) {
        true => "neither better nor worse",
        false if held < free => "better",
        false => "worse",
    };
    format!(
        "This λ {stands}. In a sample of {} the prior makes predictions of fresh rows {} ({} \
         instead of {}) and of shifted rows {} ({} instead of {}).",
        counted(at.sample.rows, "row"),
        helps(fresh, free),
        number::fixed(fresh, 3),
        number::fixed(free, 3),
        helps(shifted, free_shifted),
        number::fixed(shifted, 3),
        number::fixed(free_shifted, 3),
    )
}
