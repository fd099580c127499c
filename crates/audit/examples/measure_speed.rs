//! Measures how fast norms and products run over mapped files, in GB/s.
//!
//!     cargo run --release -p wd-audit --example measure_speed [MEGABYTES] [FOLDER]
//!
//! Two files of random numbers are written to the folder (the system's temporary one, unless another
//! is named) and removed at the end. Each line is the best and the median of nine passes that each
//! map the file anew, as a command does.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use wd_audit::bytes::{Access, Bytes};
use wd_audit::measure::{norms, products};
use wd_audit::tensor::{Dtype, Tensor};

const ROW: usize = 4096;
const PASSES: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let megabytes: usize = arguments.next().map_or(Ok(512), |text| text.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let files = [folder.join("measure_speed_1.bin"), folder.join("measure_speed_2.bin")];
    for (seed, file) in (1..).zip(&files) {
        write(file, megabytes << 20, seed)?;
    }
    for threads in [1, std::thread::available_parallelism()?.get()] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        // An error of another thread is handed over as text.
        pool.install(|| measure(&files, threads).map_err(|error| error.to_string()))?;
    }
    for file in &files {
        std::fs::remove_file(file)?;
    }
    Ok(())
}

fn measure(files: &[PathBuf; 2], threads: usize) -> Result<(), Box<dyn Error>> {
    for dtype in [Dtype::Float32, Dtype::Bfloat16, Dtype::Float16, Dtype::Float64] {
        let open = |file: &Path| -> Result<Tensor, Box<dyn Error>> {
            let bytes = Bytes::open(file, Access::Map)?;
            let rows = bytes.len() / dtype.size() / ROW;
            Ok(Tensor::contiguous(bytes, dtype, vec![rows, ROW])?)
        };
        let length = std::fs::metadata(&files[0])?.len() as f64;
        let single = timed(|| {
            black_box(norms(&open(&files[0])?));
            Ok(())
        })?;
        let double = timed(|| {
            black_box(products(&open(&files[0])?, &open(&files[1])?));
            Ok(())
        })?;
        let speed = |bytes: f64, (best, median): (f64, f64)| {
            format!("{:5.1} (median {:5.1}) GB/s", bytes / best / 1e9, bytes / median / 1e9)
        };
        println!(
            "{threads} threads, {dtype:>8}: norms {}, products {}",
            speed(length, single),
            speed(2.0 * length, double),
        );
    }
    Ok(())
}

/// Best and median seconds.
fn timed(
    mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(f64, f64), Box<dyn Error>> {
    let mut seconds = Vec::with_capacity(PASSES);
    for _ in 0..PASSES {
        let start = Instant::now();
        work()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok((seconds[0], seconds[PASSES / 2]))
}

/// Numbers whose bits are random but for exponents that keep them near 1 in every format: the high
/// byte of each pair is 0x3c ... 0x3f, with either sign.
fn write(file: &Path, bytes: usize, seed: u64) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(file)?);
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..bytes / 8 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut word = (state ^ state >> 29).to_le_bytes();
        for high in [1, 3, 5, 7] {
            word[high] = word[high] & 0x83 | 0x3c;
        }
        out.write_all(&word)?;
    }
    out.flush()?;
    Ok(())
}
