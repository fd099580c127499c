//! Times one piece of work on a table of numbers, and prints one line of JSON with its answer.
//!
//! `cargo run --release -p wd-evidence --example evidence_speed -- evidence|loo|logistic FILE ROWS
//! COLUMNS`
//!
//! FILE holds ROWS × COLUMNS numbers row after row and then ROWS targets, as little-endian f64.
//! `bench/peers/evidence.py` writes it, and compares answer, time and memory with scikit-learn's.
//!
//! | work | what is timed |
//! |---|---|
//! | `evidence` | the λ of highest evidence, a path of 1,000 λ, coefficients at the best; no intercept with more COLUMNS than ROWS |
//! | `loo` | exact leave-one-out for 100 λ from 10⁻³ to 10⁵ |
//! | `logistic` | a path of 10 λ by Laplace's evidence, the best of them refined, its mode |

use std::time::Instant;

use wd_evidence::{Family, Gaussian, Glm, Intercept, LeaveOneOut, MatRef, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [work, file, rows, columns] = arguments.as_slice() else {
        return Err("evidence|loo|logistic FILE ROWS COLUMNS".into());
    };
    let (rows, columns): (usize, usize) = (rows.parse()?, columns.parse()?);
    let bytes = std::fs::read(file)?;
    let numbers: Vec<f64> =
        bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    drop(bytes);
    if numbers.len() != rows * columns + rows {
        return Err(format!(
            "{file} holds {} numbers, not {rows} × {columns} and {rows} targets",
            numbers.len()
        )
        .into());
    }
    let (x, y) = numbers.split_at(rows * columns);
    let x = MatRef::from_row_major_slice(x, rows, columns);
    let target = MatRef::from_column_major_slice(y, rows, 1);
    // With an intercept at its best value and more columns than rows the evidence has no maximum
    // (`Intercept`): BayesianRidge then goes to a perfect fit.
    let intercept = match columns <= rows {
        true => Intercept::Profiled,
        false => Intercept::Absent,
    };
    let options = Options { standardize: false, intercept, ..Options::default() };

    let start = Instant::now();
    let answer = match work.as_str() {
        "evidence" => {
            let model = Gaussian::from_rows(x, target, None, options)?;
            let evidence = model.evidence(0)?;
            let path = evidence.path(&evidence.grid(1000));
            let best = evidence.maximum().point;
            let fit = model.fit(0, best.lambda)?;
            serde_json::json!({
                "lambda": best.lambda, "alpha": best.alpha, "beta": best.beta, "log_evidence": best.log_evidence,
                "coefficients": &fit.coefficients[..10], "path": path.len(),
            })
        }
        "loo" => {
            let lambdas: Vec<f64> =
                (0..100).map(|i| 10f64.powf(-3.0 + 8.0 * i as f64 / 99.0)).collect();
            let model = Gaussian::from_rows(x, target, None, options)?;
            let mut errors = LeaveOneOut::new(&model, 0, &lambdas)?;
            errors.add(x, target, None)?;
            serde_json::json!({ "errors": errors.mean_squared_errors() })
        }
        "logistic" => {
            let model = Glm::new(x, y, None, Family::Logistic, options)?;
            let best = model.maximum(&model.grid(10)?)?;
            serde_json::json!({ "lambda": best.point.lambda, "coefficients": &best.posterior.coefficients()[0][..10] })
        }
        _ => return Err(format!("unknown work {work}: evidence, loo or logistic").into()),
    };
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "seconds": seconds, "answer": answer }));
    Ok(())
}
