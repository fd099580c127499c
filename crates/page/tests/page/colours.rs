//! The palettes of the style sheet: enough contrast, and told apart with every kind of colour
//! vision.

use std::collections::HashMap;

const PALETTES: [(&str, &str); 2] = [
    ("light", include_str!("../../src/figure/light.css")),
    ("dark", include_str!("../../src/figure/dark.css")),
];

type Rgb = [f64; 3];

/// Linear-light RGB of every `--name:#rrggbb`.
fn variables(css: &str) -> HashMap<&str, Rgb> {
    let declarations = css
        .split([';', '\n'])
        .filter_map(|declaration| declaration.trim().strip_prefix("--")?.split_once(":#"));
    declarations.map(|(name, hex)| (name, linear(hex))).collect()
}

fn linear(hex: &str) -> Rgb {
    [0, 2, 4].map(|start| {
        let encoded = f64::from(u8::from_str_radix(&hex[start..start + 2], 16).unwrap()) / 255.0;
        if encoded <= 0.04045 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
    })
}

/// Contrast ratio of the Web Content Accessibility Guidelines 2.1.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let luminance = |c: Rgb| 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] + 0.05;
    luminance(a).max(luminance(b)) / luminance(a).min(luminance(b))
}

fn multiply(matrix: [Rgb; 3], colour: Rgb) -> Rgb {
    matrix.map(|row| row.iter().zip(colour).map(|(weight, channel)| weight * channel).sum())
}

/// Colour as seen with full dichromacy: Machado, Oliveira & Fernandes 2009, severity 1.
const VISIONS: [(&str, [Rgb; 3]); 4] = [
    ("usual", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

/// Oklab (Ottosson 2020), in which distance is close to how different two colours look.
fn oklab(colour: Rgb) -> Rgb {
    let cone = multiply(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ],
        colour.map(|channel| channel.clamp(0.0, 1.0)),
    );
    multiply(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ],
        cone.map(f64::cbrt),
    )
}

fn distance(a: Rgb, b: Rgb) -> f64 {
    oklab(a).iter().zip(oklab(b)).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn lines_and_text_stand_out_from_the_page() {
    for (theme, css) in PALETTES {
        let colours = variables(css);
        let paper = colours["paper"];
        for text in ["ink", "soft", "link", "good", "bad", "open"] {
            assert!(contrast(colours[text], paper) >= 4.5, "{theme} {text}");
        }
        for step in 0..13 {
            let ratio = contrast(colours[format!("s{step}").as_str()], paper);
            assert!(ratio >= 3.0, "{theme} s{step}: {ratio:.2}");
            let ratio = contrast(colours[format!("w{step}").as_str()], paper);
            assert!(ratio >= 4.5, "{theme}: a word in colour {step} has {ratio:.2}");
        }
        assert!(contrast(colours["baseline"], paper) >= 4.5);
        for step in 0..9 {
            let ratio = contrast(
                colours[format!("h{step}").as_str()],
                colours[format!("t{step}").as_str()],
            );
            assert!(ratio >= 4.5, "{theme} h{step}: {ratio:.2}");
        }
    }
}

#[test]
fn values_of_lambda_are_told_apart_with_every_colour_vision() {
    use wd_page::figure::Colour;
    for (theme, css) in PALETTES {
        let colours = variables(css);
        for count in 1..=5 {
            let lambdas: Vec<f64> = (0..=count).map(|index| 0.1 * f64::from(index)).collect();
            let drawn: Vec<Rgb> = Colour::by_lambda(&lambdas)
                .into_iter()
                .map(|colour| match colour {
                    Colour::Sequence(step) => colours[format!("s{step}").as_str()],
                    Colour::Baseline | Colour::Ink => colours["baseline"],
                })
                .collect();
            for (vision, matrix) in VISIONS {
                for (index, a) in drawn.iter().enumerate() {
                    for b in &drawn[index + 1..] {
                        let apart = distance(multiply(matrix, *a), multiply(matrix, *b));
                        // 0.02 is about the smallest difference that is seen side by side; thin
                        // lines need more.
                        assert!(apart > 0.06, "{theme}, {count} values, {vision}: {apart:.3}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_sequential_scale_is_one_of_lightness() {
    for (theme, css) in PALETTES {
        let colours = variables(css);
        let lightness: Vec<f64> =
            (0..13).map(|step| oklab(colours[format!("s{step}").as_str()])[0]).collect();
        assert!(lightness.windows(2).all(|pair| pair[1] < pair[0]), "{theme}: {lightness:?}");
    }
}
