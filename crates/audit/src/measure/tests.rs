use half::{bf16, f16};

use super::*;
use crate::bytes::Bytes;
use crate::tensor::Dtype;

/// Numbers of mean 0 and standard deviation 1, the same at each call.
fn normal(count: usize) -> Vec<f64> {
    let mut state = 7_u64;
    let mut uniform = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let angle = std::f64::consts::TAU;
    (0..count).map(|_| (-2.0 * uniform().ln()).sqrt() * (angle * uniform()).cos()).collect()
}

fn stored(values: &[f64], dtype: Dtype, shape: Vec<usize>) -> Tensor {
    let bytes: Vec<u8> = match dtype {
        Dtype::Float32 => values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect(),
        Dtype::Bfloat16 => values.iter().flat_map(|&x| bf16::from_f64(x).to_le_bytes()).collect(),
        Dtype::Float16 => values.iter().flat_map(|&x| f16::from_f64(x).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
    };
    Tensor::contiguous(Bytes::from(bytes), dtype, shape).unwrap()
}

const FORMATS: [Dtype; 4] = [Dtype::Float32, Dtype::Bfloat16, Dtype::Float16, Dtype::Float64];

#[test]
fn quick_sums_are_the_sums_in_double_precision() {
    let values = normal(3 * 10_001);
    for dtype in FORMATS {
        for shape in [vec![3, 10_001], vec![30_003], vec![10_001, 3], vec![3, 73, 137]] {
            let tensor = stored(&values, dtype, shape.clone());
            let exact = tensor.to_f64().unwrap();
            let measured = norms(&tensor).unwrap();
            let squares: f64 = exact.iter().map(|x| x * x).sum();
            let magnitudes: f64 = exact.iter().map(|x| x.abs()).sum();
            assert!((measured.sum_of_squares / squares - 1.0).abs() < 1e-6, "{dtype} {shape:?}");
            assert!((measured.sum_of_magnitudes / magnitudes - 1.0).abs() < 1e-6);
            assert_eq!(measured.largest, exact.iter().fold(0.0, |most, x| x.abs().max(most)));
            assert_eq!(measured.non_finite, 0);
            let rows = row_layout(&tensor).map_or(0, |(rows, _)| rows);
            assert_eq!(measured.rows.len(), rows);
            let total: f64 = measured.rows.iter().map(|row| row.sum_of_squares).sum();
            assert!(rows == 0 || (total / squares - 1.0).abs() < 1e-6);
        }
    }
}

#[test]
fn squares_that_leave_single_precision_are_summed_in_double() {
    for scale in [1e-30, 1e-18, 1e25] {
        let values: Vec<f64> = normal(5000).into_iter().map(|x| scale * x).collect();
        let tensor = stored(&values, Dtype::Float32, vec![5000]);
        let exact: f64 = tensor.to_f64().unwrap().iter().map(|x| x * x).sum();
        let measured = norms(&tensor).unwrap();
        assert!((measured.sum_of_squares / exact - 1.0).abs() < 1e-6);
        let both = products(&tensor, &tensor).unwrap();
        assert!((both.product / exact - 1.0).abs() < 1e-6);
    }
}

#[test]
fn what_is_not_finite_is_counted_and_left_out() {
    let mut values = vec![1.0; 64];
    (values[3], values[40], values[63]) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY);
    for dtype in FORMATS {
        let tensor = stored(&values, dtype, vec![4, 16]);
        let measured = norms(&tensor).unwrap();
        assert_eq!((measured.non_finite, measured.sum_of_squares), (3, 61.0));
        assert_eq!((measured.largest, measured.zero_rows), (1.0, 0));
        assert_eq!(measured.root_mean_square(), 1.0);
        let both = products(&tensor, &tensor).unwrap();
        assert_eq!((both.non_finite, both.product), (3, 61.0));
    }
}

#[test]
fn rows_of_zeros_are_counted() {
    let mut values = normal(5 * 16);
    values[16..32].fill(0.0);
    values[64..].fill(-0.0);
    for dtype in FORMATS {
        assert_eq!(norms(&stored(&values, dtype, vec![5, 16])).unwrap().zero_rows, 2);
    }
}

#[test]
fn views_and_other_forms_have_the_sums_of_their_copies() {
    let values = normal(64 * 96);
    let bytes = |big: bool| -> Bytes {
        let each = values.iter().map(|&x| x as f32);
        Bytes::from(if big {
            each.flat_map(f32::to_be_bytes).collect::<Vec<u8>>()
        } else {
            each.flat_map(f32::to_le_bytes).collect()
        })
    };
    let plain = Tensor::contiguous(bytes(false), Dtype::Float32, vec![64, 96]).unwrap();
    let turned =
        Tensor::view(bytes(false), Dtype::Float32, 0, vec![96, 64], vec![1, 96], false).unwrap();
    let swapped =
        Tensor::view(bytes(true), Dtype::Float32, 0, vec![64, 96], vec![96, 1], true).unwrap();
    let wanted = norms(&plain).unwrap();
    for other in [&turned, &swapped] {
        let measured = norms(other).unwrap();
        assert!((measured.sum_of_squares / wanted.sum_of_squares - 1.0).abs() < 1e-6);
        assert_eq!(measured.largest, wanted.largest);
        assert_eq!(measured.rows.len(), other.shape()[0]);
    }
    let both = products(&plain, &swapped).unwrap();
    assert!((both.product / wanted.sum_of_squares - 1.0).abs() < 1e-6);
    assert_eq!(row(&turned, 5).unwrap()[7], f64::from(values[7 * 96 + 5] as f32));
    assert!(row(&turned, 96).is_none());
}

#[test]
fn integers_have_norms_and_complex_numbers_have_none() {
    let whole = Tensor::contiguous(Bytes::from(vec![3, 4, 0]), Dtype::Uint8, vec![3]).unwrap();
    assert_eq!(norms(&whole).unwrap().norm(), 5.0);
    let complex = Tensor::contiguous(Bytes::from(vec![0; 16]), Dtype::Complex64, vec![2]).unwrap();
    assert!(norms(&complex).is_none() && products(&complex, &complex).is_none());
}

#[test]
fn many_tensors_are_measured_in_their_order() {
    let tensors: Vec<Tensor> =
        (1..40).map(|n| stored(&[n as f64; 10], Dtype::Float32, vec![10])).collect();
    let all = norms_of_all(&tensors.iter().collect::<Vec<_>>());
    for (n, measured) in (1..40).zip(all) {
        assert_eq!(measured.unwrap().largest, f64::from(n));
    }
}
