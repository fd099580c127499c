//! Parquet files, written here column by column.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use wd_data::table::DesignOptions;

use super::support::{file, read, targets};

const SCHEMA: &str = "message table {
    REQUIRED DOUBLE x; OPTIONAL FLOAT half; REQUIRED INT32 cents (DECIMAL(9,2)); REQUIRED INT32 big (INTEGER(32,false));
    REQUIRED BOOLEAN flag; OPTIONAL BINARY street (STRING); REQUIRED INT64 y;
}";

/// A table of `groups` row groups with `rows` rows each; every third `half` and every fifth
/// `street` is null if `nulls`.
pub(crate) fn table(groups: usize, rows: usize, nulls: bool, compression: Compression) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    for group in 0..groups {
        let index: Vec<usize> = (group * rows..(group + 1) * rows).collect();
        let levels = |every: usize| -> Vec<i16> {
            index.iter().map(|i| i16::from(!(nulls && i % every == 0))).collect()
        };
        let mut group = writer.next_row_group().unwrap();
        macro_rules! column {
            ($kind:ty, $values:expr, $levels:expr) => {{
                let mut column = group.next_column().unwrap().unwrap();
                let levels: Option<Vec<i16>> = $levels;
                column.typed::<$kind>().write_batch(&$values, levels.as_deref(), None).unwrap();
                column.close().unwrap();
            }};
        }
        let there = |every: usize| {
            let index = index.clone();
            index.into_iter().filter(move |i| !(nulls && i % every == 0))
        };
        column!(DoubleType, index.iter().map(|i| *i as f64 / 4.0).collect::<Vec<_>>(), None);
        column!(FloatType, there(3).map(|i| i as f32 / 2.0).collect::<Vec<_>>(), Some(levels(3)));
        column!(Int32Type, index.iter().map(|i| *i as i32 * 5).collect::<Vec<_>>(), None);
        column!(Int32Type, index.iter().map(|i| -1 - *i as i32).collect::<Vec<_>>(), None);
        column!(BoolType, index.iter().map(|i| i % 2 == 1).collect::<Vec<_>>(), None);
        column!(
            ByteArrayType,
            there(5).map(|i| ByteArray::from(["Ash", "Elm", "Oak"][i % 3])).collect::<Vec<_>>(),
            Some(levels(5))
        );
        column!(Int64Type, index.iter().map(|i| *i as i64 - 2).collect::<Vec<_>>(), None);
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn every_type_arrives_whatever_the_compression() {
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(Default::default()),
        Compression::GZIP(Default::default()),
        Compression::LZ4_RAW,
    ];
    for compression in compressions {
        let (_folder, path) = file("t.parquet", &table(3, 5000, false, compression));
        let whole = read(&path, &targets(&["y"])).unwrap();
        assert_eq!(
            whole.columns,
            ["x", "half", "cents", "big", "flag", "street=Elm", "street=Oak"]
        );
        assert_eq!(whole.rows.len(), 15_000);
        for (i, row) in whole.rows.iter().enumerate() {
            let n = i as f64;
            let level = i % 3;
            let expected = [
                n / 4.0,
                n / 2.0,
                n * 5.0 * 0.01,
                f64::from(u32::MAX) - n,
                f64::from(i % 2 == 1),
                f64::from(level == 1),
                f64::from(level == 2),
            ];
            assert_eq!(row[..], expected, "row {i}");
            assert_eq!(whole.targets[i], n - 2.0);
        }
    }
}

#[test]
fn nulls_are_missing_values() {
    let (_folder, path) = file("t.parquet", &table(2, 30, true, Compression::SNAPPY));
    let message = read(&path, &targets(&["y"])).unwrap_err().to_string();
    assert!(message.contains("`half` in 20 rows (first: row 1)"), "{message}");
    assert!(message.contains("`street` in 12 rows (first: row 1)"), "{message}");
    let whole = read(&path, &DesignOptions { impute_mean: true, ..targets(&["y"]) }).unwrap();
    let known: Vec<f64> = (0..60).filter(|i| i % 3 != 0).map(|i| f64::from(i) / 2.0).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    assert!((whole.rows[3][1] - mean).abs() < 1e-12);
    assert_eq!(whole.rows[4][1], 2.0);
    let share = whole.rows[5][5] + whole.rows[5][6];
    assert!((share - 32.0 / 48.0).abs() < 1e-12, "{share}");
}

#[test]
fn numbers_can_be_classes() {
    let (_folder, path) = file("t.parquet", &table(1, 12, false, Compression::SNAPPY));
    let options = DesignOptions {
        classes: true,
        drop: ["y", "street"].map(str::to_owned).to_vec(),
        ..targets(&["flag"])
    };
    let whole = read(&path, &options).unwrap();
    assert_eq!(whole.targets, (0..12).map(|i| f64::from(i % 2)).collect::<Vec<_>>());
}

/// Files that fuzzing made: one whose header announces 2³¹ numbers, one on which the library
/// panics. Each is an error, and soon.
#[test]
fn files_that_hung_or_panicked_are_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/damaged");
    for name in ["endless-page-header.parquet", "guarded-panic-printed.parquet"] {
        let begin = std::time::Instant::now();
        assert!(read(&folder.join(name), &targets(&["y"])).is_err(), "{name}");
        assert!(begin.elapsed().as_secs() < 3, "{name} took {:?}", begin.elapsed());
    }
}

/// What a header announces is reserved by the library before anything is unpacked: of the second of
/// these 10 kB files it was a gigabyte.
#[test]
fn pages_that_announce_too_much_are_refused_before_they_are_unpacked() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/damaged");
    for name in ["page-larger-than-its-column.parquet", "page-header-of-other-types.parquet"] {
        let refused = read(&folder.join(name), &targets(&["value"]));
        let said = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("has a damaged header"), "{name}: {said}");
    }
}
