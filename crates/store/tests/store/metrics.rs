//! metrics.bin: rows, resuming, torn and damaged files.

use std::fs;
use std::time::Duration;

use crate::fixture;
use proptest::prelude::*;
use wd_decay::Role;
use wd_store::{Column, MetricsReader, RunDirectory, StoreError};

fn columns() -> Vec<Column> {
    vec![Column::f64("step"), Column::f64("train_loss"), Column::f32("weight_norm/a")]
}

fn row(step: u64) -> [f64; 3] {
    [step as f64, 1.0 / step as f64, -(step as f64).sqrt()]
}

/// Appends rows `from..=to` after step `from − 1`.
fn write_rows(run: &RunDirectory, from: u64, to: u64) {
    let lock = run.lock().unwrap();
    let mut writer = lock.metrics_writer(&columns(), from - 1).unwrap();
    assert_eq!(writer.last_step(), from - 1);
    for step in from..=to {
        writer.append(&row(step)).unwrap();
    }
    assert_eq!(writer.last_step(), to);
}

fn assert_rows(reader: &MetricsReader, rows: u64) {
    assert_eq!(reader.rows() as u64, rows);
    assert_eq!(reader.last_step(), (rows > 0).then_some(rows));
    let expect = |column: usize| (1..=rows).map(|step| row(step)[column]).collect::<Vec<_>>();
    assert_eq!(reader.column("step").unwrap(), expect(0));
    assert_eq!(reader.column("train_loss").unwrap(), expect(1));
    let rounded: Vec<f64> = expect(2).into_iter().map(|value| f64::from(value as f32)).collect();
    assert_eq!(reader.column("weight_norm/a").unwrap(), rounded);
}

#[test]
fn rows_read_back_and_nan_stays_nan() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    assert!(matches!(run.metrics(), Err(StoreError::Missing { .. })));
    let lock = run.lock().unwrap();
    let mut writer = lock.metrics_writer(&columns(), 0).unwrap();
    assert_rows(&run.metrics().unwrap(), 0);
    writer.append(&[1.0, f64::NAN, f64::INFINITY]).unwrap();
    writer.append(&[5.0, -0.0, 1e300]).unwrap();
    drop(writer);
    let reader = run.metrics().unwrap();
    assert_eq!(reader.columns(), columns());
    assert_eq!(reader.column("step").unwrap(), [1.0, 5.0]);
    let loss = reader.column("train_loss").unwrap();
    assert!(loss[0].is_nan() && loss[1] == 0.0 && loss[1].is_sign_negative());
    assert_eq!(reader.column("weight_norm/a").unwrap(), [f64::INFINITY, f64::INFINITY]);
    let error = reader.column("weigth_norm/a").unwrap_err().to_string();
    assert!(error.contains("did you mean `weight_norm/a`?"), "{error}");
    assert!(reader.has_column("step") && !reader.has_column("epoch"));
}

#[test]
fn a_step_never_has_two_rows() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    let lock = run.lock().unwrap();
    let mut writer = lock.metrics_writer(&columns(), 0).unwrap();
    writer.append(&row(1)).unwrap();
    writer.append(&row(2)).unwrap();
    for step in [2.0, 1.0, 0.0, -1.0, 2.5, f64::NAN, f64::INFINITY, 1e16] {
        let refused = writer.append(&[step, 0.0, 0.0]);
        assert!(matches!(refused, Err(StoreError::StepOrder { last: 2, .. })), "{step}");
    }
    assert!(matches!(writer.append(&[3.0]), Err(StoreError::RowLength { expected: 3, found: 1 })));
    drop((writer, lock));
    write_rows(&run, 3, 4);
    write_rows(&run, 3, 5);
    assert_rows(&run.metrics().unwrap(), 5);
}

#[test]
fn resuming_drops_the_rows_after_the_checkpoint() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    for resume_at in 0..=6 {
        write_rows(&run, 1, 6);
        let lock = run.lock().unwrap();
        let writer = lock.metrics_writer(&columns(), resume_at).unwrap();
        assert_eq!(writer.last_step(), resume_at);
        assert_rows(&run.metrics().unwrap(), resume_at);
    }
    // The checkpoint is ahead of the rows: the writer says so.
    let lock = run.lock().unwrap();
    assert_eq!(lock.metrics_writer(&columns(), 40).unwrap().last_step(), 6);
    drop(lock);
    // No file at all is the same as no rows.
    fs::remove_file(run.metrics_path()).unwrap();
    assert_eq!(run.lock().unwrap().metrics_writer(&columns(), 40).unwrap().last_step(), 0);
}

/// Whatever part of the file a kill left after its header: whole rows are read, the rest is
/// dropped, and a run that resumes at any step makes the file that it would have made without the
/// kill.
#[test]
fn torn_at_every_length() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    drop(run.lock().unwrap().metrics_writer(&columns(), 0).unwrap());
    let header = fs::read(run.metrics_path()).unwrap().len();
    write_rows(&run, 1, 4);
    let whole = fs::read(run.metrics_path()).unwrap();
    let width = (whole.len() - header) / 4;
    assert_eq!(width, 20);
    for length in header..=whole.len() {
        fs::write(run.metrics_path(), &whole[..length]).unwrap();
        let rows = ((length - header) / width) as u64;
        assert_rows(&run.metrics().unwrap(), rows);
        let resume_at = rows.min(2);
        write_rows(&run, resume_at + 1, 4);
        assert_eq!(fs::read(run.metrics_path()).unwrap(), whole, "{length}");
    }
}

#[test]
fn rows_that_a_dead_disk_left_at_the_end_are_not_there() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    for garbage in [
        vec![0; 20 * 3],
        vec![0xff; 20 * 2],
        [1.0_f64.to_le_bytes().to_vec(), vec![7; 12]].concat(),
    ] {
        write_rows(&run, 1, 3);
        let mut bytes = fs::read(run.metrics_path()).unwrap();
        bytes.extend_from_slice(&garbage);
        fs::write(run.metrics_path(), bytes).unwrap();
        assert_rows(&run.metrics().unwrap(), 3);
        write_rows(&run, 4, 5);
        assert_rows(&run.metrics().unwrap(), 5);
    }
}

#[test]
fn a_damaged_header_is_an_error_whatever_is_wrong_with_it() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    drop(run.lock().unwrap().metrics_writer(&columns(), 0).unwrap());
    let header = fs::read(run.metrics_path()).unwrap();
    write_rows(&run, 1, 2);
    let whole = fs::read(run.metrics_path()).unwrap();
    for length in 0..header.len() {
        fs::write(run.metrics_path(), &whole[..length]).unwrap();
        assert!(matches!(run.metrics(), Err(StoreError::Damaged { .. })), "{length}");
    }
    for bit in 0..header.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(run.metrics_path(), &bytes).unwrap();
        let error = run.metrics().unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. } | StoreError::TooNew { .. }),
            "{bit}: {error}"
        );
        assert!(error.to_string().contains("metrics.bin"), "{error}");
    }
    // Its rows cannot be kept, so resuming refuses and touches nothing; beginning anew does not
    // need them.
    let mut bytes = whole.clone();
    bytes[60] ^= 1;
    fs::write(run.metrics_path(), &bytes).unwrap();
    let lock = run.lock().unwrap();
    let error = lock.metrics_writer(&columns(), 2).unwrap_err().to_string();
    assert!(error.contains("move it away"), "{error}");
    assert_eq!(fs::read(run.metrics_path()).unwrap(), bytes);
    lock.metrics_writer(&columns(), 0).unwrap();
    // A later version's file is not replaced.
    let mut bytes = whole;
    bytes[8] = 2;
    fs::write(run.metrics_path(), &bytes).unwrap();
    assert!(matches!(lock.metrics_writer(&columns(), 0), Err(StoreError::TooNew { found: 2, .. })));
    assert_eq!(fs::read(run.metrics_path()).unwrap(), bytes);
}

#[test]
fn other_columns_are_refused_with_the_first_difference() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    write_rows(&run, 1, 3);
    let lock = run.lock().unwrap();
    let mut other = columns();
    other[2] = Column::f32("weight_norm/b");
    let error = lock.metrics_writer(&other, 3).unwrap_err().to_string();
    assert!(
        error.contains("column 3 is `weight_norm/a` (F32) there and `weight_norm/b` (F32) here"),
        "{error}"
    );
    assert_rows(&run.metrics().unwrap(), 3);
    assert!(matches!(
        lock.metrics_writer(&columns()[..2], 3),
        Err(StoreError::ColumnsDiffer { .. })
    ));
    // From the beginning no row is kept, so the columns are free.
    lock.metrics_writer(&other, 0).unwrap();
    assert_eq!(run.metrics().unwrap().columns(), other);

    let refused = |columns: &[Column]| {
        matches!(lock.metrics_writer(columns, 0), Err(StoreError::InvalidColumns { .. }))
    };
    assert!(refused(&[]));
    assert!(refused(&[Column::f64("train_loss"), Column::f64("step")]));
    assert!(refused(&[Column::f32("step")]));
    assert!(refused(&[Column::f64("step"), Column::f64("a"), Column::f32("a")]));
    assert!(refused(&[Column::f64("step"), Column::f64("")]));
}

/// One thread trains (and is restarted, and resumes further back), another reads all the while.
#[test]
fn reading_beside_a_writer_sees_only_whole_true_rows() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    write_rows(&run, 1, 50);
    let held = run.metrics().unwrap();
    std::thread::scope(|scope| {
        let trainer = scope.spawn(|| {
            for resume_at in (0..50).rev() {
                let lock = run.lock().unwrap();
                let mut writer = lock.metrics_writer(&columns(), resume_at).unwrap();
                writer.set_buffering(3, Duration::from_secs(60));
                for step in resume_at + 1..=50 {
                    writer.append(&row(step)).unwrap();
                }
            }
        });
        while !trainer.is_finished() {
            let reader = run.metrics().unwrap();
            assert_rows(&reader, reader.rows() as u64);
            // The file was cut many times since; what this reader saw, it still has.
            assert_rows(&held, 50);
        }
    });
    assert_rows(&run.metrics().unwrap(), 50);
}

#[test]
fn rows_leave_the_buffer_by_number_and_by_time() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    let lock = run.lock().unwrap();
    let mut writer = lock.metrics_writer(&columns(), 0).unwrap();
    let on_disk = || run.metrics().unwrap().rows();
    writer.set_buffering(3, Duration::from_secs(3600));
    let after: Vec<usize> = (1..=7)
        .map(|step| {
            writer.append(&row(step)).unwrap();
            on_disk()
        })
        .collect();
    assert_eq!(after, [0, 0, 3, 3, 3, 6, 6]);
    writer.set_buffering(1000, Duration::ZERO);
    writer.append(&row(8)).unwrap();
    assert_eq!(on_disk(), 8);
    writer.set_buffering(1000, Duration::from_secs(3600));
    writer.append(&row(9)).unwrap();
    assert_eq!(on_disk(), 8);
    writer.flush().unwrap();
    assert_eq!(on_disk(), 9);
    writer.append(&row(10)).unwrap();
    drop(writer);
    assert_eq!(on_disk(), 10);
}

#[test]
fn a_role_is_one_large_tensor() {
    let parent = tempfile::tempdir().unwrap();
    let run = fixture::run(parent.path());
    let plan = fixture::plan();
    let mut columns = vec![Column::f64("step")];
    for measure in ["weight_norm", "update_norm", "cosine"] {
        columns.extend(
            plan.tensors.iter().map(|tensor| Column::f64(format!("{measure}/{}", tensor.path))),
        );
    }
    let lock = run.lock().unwrap();
    let mut writer = lock.metrics_writer(&columns, 0).unwrap();
    writer.append(&[1.0, 3.0, 4.0, 9.0, 0.6, 0.8, 0.9, 0.0, 0.0, 0.0]).unwrap();
    writer.append(&[2.0, 3.0, f64::NAN, 9.0, 0.6, 0.8, 0.9, 0.0, 0.0, 0.0]).unwrap();
    drop(writer);
    let metrics = run.metrics().unwrap();
    let role = |measure: &str| metrics.role_column(measure, Role::Matrix, &plan).unwrap();
    let first = |measure: &str| role(measure)[0];
    assert_eq!(first("weight_norm"), 5.0);
    assert!((first("update_norm") - 1.0).abs() < 1e-15);
    assert!((first("relative_update") - 0.2).abs() < 1e-15);
    assert!((first("weight_rms") - (25.0_f64 / 12.0).sqrt()).abs() < 1e-15);
    assert!(role("weight_norm")[1].is_nan() && role("relative_update")[1].is_nan());
    assert_eq!(metrics.role_column("weight_norm", Role::Bias, &plan).unwrap(), [9.0, 9.0]);
    let all: Vec<_> = plan.tensors.iter().collect();
    assert!(
        (metrics.combined_column("weight_norm", &all).unwrap()[0] - 106.0_f64.sqrt()).abs() < 1e-14
    );

    let error = |measure: &str, role: Role| {
        metrics.role_column(measure, role, &plan).unwrap_err().to_string()
    };
    assert!(error("cosine", Role::Matrix).contains("cannot be combined"));
    assert!(error("weight_norm", Role::Head).contains("matrix, bias"));
    assert!(error("decay_norm", Role::Matrix).contains("decay_norm/block.0.up.weight"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn damaged_rows_never_panic(
        rows in 0_u64..12,
        cut in 0_usize..40,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        resume_at in 0_u64..14,
    ) {
        let parent = tempfile::tempdir().unwrap();
        let run = fixture::run(parent.path());
        drop(run.lock().unwrap().metrics_writer(&columns(), 0).unwrap());
        let header = fs::read(run.metrics_path()).unwrap().len();
        write_rows(&run, 1, rows);
        let mut bytes = fs::read(run.metrics_path()).unwrap();
        bytes.truncate((bytes.len() - cut.min(bytes.len() - header)).max(header));
        for (index, byte) in changes {
            if bytes.len() > header {
                let at = header + index.index(bytes.len() - header);
                bytes[at] = byte;
            }
        }
        fs::write(run.metrics_path(), &bytes).unwrap();
        let reader = run.metrics().unwrap();
        prop_assert!(reader.rows() as u64 <= rows);
        prop_assert_eq!(reader.column("train_loss").unwrap().len(), reader.rows());
        // Appending goes on after whatever was kept.
        let lock = run.lock().unwrap();
        let mut writer = lock.metrics_writer(&columns(), resume_at).unwrap();
        prop_assert!(writer.last_step() <= resume_at);
        writer.append(&row(resume_at + 1)).unwrap();
        drop(writer);
        prop_assert_eq!(run.metrics().unwrap().last_step(), Some(resume_at + 1));
    }

    #[test]
    fn any_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), magic: bool) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = if magic { [b"wdmetric\x01\0\0\0".to_vec(), bytes].concat() } else { bytes };
        fs::write(file.path(), &bytes).unwrap();
        prop_assert!(MetricsReader::open(file.path()).is_err());
    }
}
