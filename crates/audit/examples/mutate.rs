//! Reads mutations of a file as every format, to find a panic or a hang.
//!
//! `cargo run --release -p wd-audit --example mutate -- FILE [COUNT] [SEED]`

use std::time::Instant;

use wd_audit::bytes::Bytes;
use wd_audit::file::pickle::Pickle;
use wd_audit::file::safetensors::Safetensors;
use wd_audit::file::torch_legacy;
use wd_audit::file::torch_zip::TorchZip;
use wd_audit::limits::Limits;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("name a file")?;
    let count: u64 = arguments.next().map_or(Ok(1_000_000), |count| count.parse())?;
    let mut seed: u64 = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let whole = std::fs::read(&name)?;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let (mut read, mut slowest) = (0_u64, 0.0_f64);
    for _ in 0..count {
        let mut mutated = whole.clone();
        for _ in 0..1 + random() % 4 {
            let at = random() % mutated.len().max(1);
            match random() % 4 {
                0 => mutated.truncate(at.max(1)),
                1 => mutated.insert(at, random() as u8),
                _ => mutated[at] = random() as u8,
            }
        }
        let start = Instant::now();
        read += u64::from(look(&Bytes::from(mutated)));
        slowest = slowest.max(start.elapsed().as_secs_f64());
    }
    println!("{count} mutations of {name}: {read} read, the slowest took {slowest:.3} s");
    Ok(())
}

/// Whether any format takes the bytes; looks at what they hold.
fn look(bytes: &Bytes) -> bool {
    let limits = Limits::DEFAULT;
    let zip = TorchZip::read(bytes, limits, true).map(|file| walk(&file.pickle));
    let stream = torch_legacy::read(bytes, limits).map(|(pickle, _)| walk(&pickle));
    let safetensors = Safetensors::read(bytes, limits);
    zip.is_ok() || stream.is_ok() || safetensors.is_ok()
}

fn walk(pickle: &Pickle) {
    let root = pickle.root();
    let _ = root.to_value();
    let mut left = vec![(root, 0)];
    while let Some((object, depth)) = left.pop() {
        if let Some(Ok(tensor)) = object.tensor() {
            let _ = tensor.scalar();
        }
        if depth < 3 {
            left.extend(object.items().into_iter().take(64).map(|(_, value)| (value, depth + 1)));
        }
    }
}
