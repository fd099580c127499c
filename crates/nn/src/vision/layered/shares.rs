//! One operation over the images of a batch, dealt to the pool's threads in *shares*.
//!
//! Where a share starts and ends depends on the number of images alone, so that whatever a share
//! sums has the same bits on any number of threads.

use std::ops::Range;

/// Something that can be cut between two images that are also two shares.
pub(crate) trait Cut: Sized + Send {
    /// The part of the first `images` images, in `shares` shares, and the rest.
    fn cut(self, images: usize, shares: usize) -> (Self, Self);
}

/// Numbers of which every image has `each`; none for an operand that a stage lacks.
pub(crate) struct Images<'a, T> {
    pub(crate) numbers: &'a mut [T],
    pub(crate) each: usize,
}

impl<'a, T> Images<'a, T> {
    pub(crate) fn new(numbers: &'a mut [T], images: usize, each: usize) -> Self {
        Self { numbers: &mut numbers[..images * each], each }
    }

    /// The numbers of some of the images.
    pub(crate) fn range(&mut self, images: Range<usize>) -> &mut [T] {
        &mut self.numbers[images.start * self.each..images.end * self.each]
    }
}

impl<T: Send> Cut for Images<'_, T> {
    fn cut(self, images: usize, _: usize) -> (Self, Self) {
        let (first, rest) = self.numbers.split_at_mut(images * self.each);
        let each = self.each;
        let part = |numbers| Images { numbers, each };
        (part(first), part(rest))
    }
}

/// What every share has one of.
pub(crate) struct PerShare<'a, T>(pub(crate) &'a mut [T]);

impl<T: Send> Cut for PerShare<'_, T> {
    fn cut(self, _: usize, shares: usize) -> (Self, Self) {
        let (first, rest) = self.0.split_at_mut(shares);
        (Self(first), Self(rest))
    }
}

impl<A: Cut, B: Cut> Cut for (A, B) {
    fn cut(self, images: usize, shares: usize) -> (Self, Self) {
        let (a, b) = (self.0.cut(images, shares), self.1.cut(images, shares));
        ((a.0, b.0), (a.1, b.1))
    }
}

impl<A: Cut, B: Cut, C: Cut> Cut for (A, B, C) {
    fn cut(self, images: usize, shares: usize) -> (Self, Self) {
        let ((a, b), c) = ((self.0, self.1).cut(images, shares), self.2.cut(images, shares));
        ((a.0, a.1, c.0), (b.0, b.1, c.1))
    }
}

/// Runs `work` for every share of a batch: the share's images, and its part of the operands.
pub(crate) fn over_shares<T: Cut>(
    images: usize,
    shares: usize,
    operands: T,
    work: &(impl Fn(Range<usize>, T) + Sync),
) {
    run(images, shares, 0..shares, operands, work);
}

fn run<T: Cut>(
    images: usize,
    shares: usize,
    range: Range<usize>,
    operands: T,
    work: &(impl Fn(Range<usize>, T) + Sync),
) {
    let start = |share: usize| share * images / shares;
    if range.len() <= 1 {
        work(start(range.start)..start(range.end), operands);
        return;
    }
    let middle = range.start + range.len() / 2;
    let (first, rest) = operands.cut(start(middle) - start(range.start), middle - range.start);
    rayon::join(
        || run(images, shares, range.start..middle, first, work),
        || run(images, shares, middle..range.end, rest, work),
    );
}
