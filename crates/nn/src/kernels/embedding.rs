//! Token and position embeddings: rows looked up, and gradients scattered back.

use super::sum;
use crate::Float;

/// out[t] ← token_table[token of t] (+ position_table[t mod context]).
pub(crate) fn forward<F: Float>(
    out: &mut [F],
    tokens: &[u32],
    token_table: &[F],
    position_table: Option<&[F]>,
    context: usize,
    width: usize,
) {
    for (index, (row, token)) in out.chunks_exact_mut(width).zip(tokens).enumerate() {
        row.copy_from_slice(row_of(token_table, *token as usize, width));
        if let Some(table) = position_table {
            sum::add(row, row_of(table, index % context, width));
        }
    }
}

/// token_gradient[token of t] += dout[t], in the order of t.
pub(crate) fn backward_token<F: Float>(
    token_gradient: &mut [F],
    tokens: &[u32],
    dout: &[F],
    width: usize,
) {
    for (row, token) in dout.chunks_exact(width).zip(tokens) {
        let start = *token as usize * width;
        sum::add(&mut token_gradient[start..start + width], row);
    }
}

/// position_gradient[t mod context] += dout[t].
pub(crate) fn backward_position<F: Float>(
    position_gradient: &mut [F],
    dout: &[F],
    context: usize,
    width: usize,
) {
    for sequence in dout.chunks(context * width) {
        sum::add(&mut position_gradient[..sequence.len()], sequence);
    }
}

fn row_of<F>(table: &[F], row: usize, width: usize) -> &[F] {
    &table[row * width..(row + 1) * width]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, dot, normals};

    #[test]
    fn backward_is_the_gradient() {
        let (vocabulary, context, width) = (5, 4, 3);
        let tokens = [0, 4, 4, 2, 1, 4, 0, 0];
        let (table, positions) = (normals(1, vocabulary * width), normals(2, context * width));
        let dout = normals(3, tokens.len() * width);
        let loss = |table: &[f64], positions: &[f64]| {
            let mut out = vec![f64::NAN; tokens.len() * width];
            forward(&mut out, &tokens, table, Some(positions), context, width);
            dot(&out, &dout)
        };
        let (mut dtable, mut dpositions) = (vec![0.0; table.len()], vec![0.0; positions.len()]);
        backward_token(&mut dtable, &tokens, &dout, width);
        backward_position(&mut dpositions, &dout, context, width);
        assert_gradient("tokens", &table, &dtable, |table| loss(table, &positions));
        assert_gradient("positions", &positions, &dpositions, |positions| loss(&table, positions));
        assert!(
            dtable[3 * width..4 * width].iter().all(|value| *value == 0.0),
            "token 3 was never seen"
        );
    }
}
