//! Each refusal names the file, the image and the remedy.

use std::fs;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use wd_data::images::{
    Augmentation, ImageLoader, ImageLoaderConfig, ImageSet, Normalisation, Part,
};

use super::support::{cifar, folder, golden_folder, gzip, idx, png, refusal};

#[track_caller]
fn assert_says(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

fn with_idx(images: &[u8], labels: &[u8]) -> String {
    let root = folder(&[("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)]);
    refusal(root.path(), Part::Train)
}

#[test]
fn idx_files() {
    let (images, labels) = idx(&[0, 1, 2, 1], 3, 5);
    let says = |images: &[u8], labels: &[u8], parts: &[&str]| {
        assert_says(&with_idx(images, labels), parts);
    };
    let cut = &images[..16 + 15 * 2 + 4];
    says(cut, &labels, &["images-idx3-ubyte, image 2 (byte 50", "promises 4 images"]);
    says(&images, &labels[..10], &["labels-idx1", "label 2 (byte 10"]);
    says(&images[..13], &labels, &["ends at byte 13, within its header"]);
    says(&[], &labels, &["bytes (none)"]);
    says(&labels, &labels, &["00 00 08 01", "00 00 08 03"]);
    says(b"<html>", &labels, &["3c 68 74 6d", "web page"]);
    let longer = [&images[..], &[0]].concat();
    says(&longer, &labels, &["goes on after the 4 images", "(byte 76"]);
    let fewer = idx(&[0, 1, 2], 3, 5).1;
    says(&images, &fewer, &["3 labels", "4 images", "no pair"]);
    let (_, gap) = idx(&[0, 3, 2, 3], 3, 5);
    says(&images, &gap, &["no image has the label 1", "without a gap"]);
    // Damage within the compressed bytes.
    let mut damaged = gzip(&images);
    let middle = damaged.len() - 6;
    damaged[middle] ^= 0xff;
    says(&damaged, &labels, &["cannot read", "train-images-idx3-ubyte"]);
    // Headers that promise much.
    let mut hostile = images.clone();
    hostile[4..8].fill(0xff);
    let mut many = labels.clone();
    many[4..8].fill(0xff);
    says(&hostile, &many, &["4294967295 images", "4 GiB"]);
    hostile = images.clone();
    hostile[8..12].fill(0xff);
    says(&hostile, &labels, &["5 × 4294967295 pixels", "byte 8"]);
    let (none, no_labels) = idx(&[], 3, 5);
    says(&none, &no_labels, &["it holds no image"]);
}

#[test]
fn folders_without_what_is_needed() {
    let (images, labels) = idx(&[0, 1], 2, 2);
    let says = |files: &[(&str, &[u8])], part, parts: &[&str]| {
        assert_says(&refusal(folder(files).path(), part), parts);
    };
    let lone = [("train-images-idx3-ubyte.gz", &images[..])];
    says(&lone, Part::Train, &["labels are missing", "`train-labels-idx1-ubyte`"]);
    let train = [lone[0], ("train-labels-idx1-ubyte", &labels)];
    says(&train, Part::Test, &["no test part", "`train-images-idx3-ubyte.gz`"]);
    let two = [
        ("emnist-digits-train-images-idx3-ubyte", &images[..]),
        ("emnist-letters-train-images-idx3-ubyte", &images),
    ];
    says(&two, Part::Train, &["both", "letters", "name one of them"]);
    says(&[], Part::Train, &["it is empty", "folder of PNG or JPEG"]);
    says(&[("data_batch_1", b"")], Part::Train, &["`data_batch_1`"]);
    says(&[("data_batch_1.bin", b"")], Part::Train, &["`data_batch_2.bin` is missing"]);
    says(
        &[("train-00000-of-00003.parquet", b""), ("train-00002-of-00003.parquet", b"")],
        Part::Train,
        &["2 of the 3 files"],
    );
    let sets = [("mnist/train-images-idx3-ubyte", &images[..]), ("cifar/train.bin", &images)];
    says(&sets, Part::Train, &["`cifar` in it does"]);
    let root = folder(&train);
    let file = root.path().join("train-images-idx3-ubyte.gz");
    assert_says(&refusal(&file, Part::Test), &["by its name it is the training part"]);
    let file = root.path().join("train-labels-idx1-ubyte");
    assert_says(&refusal(&file, Part::Train), &["it holds labels"]);
    assert_says(&refusal(&root.path().join("nowhere"), Part::Train), &["cannot open", "nowhere"]);
    let root = folder(&[("cifar-10-binary.tar.gz", b"")]);
    assert_says(
        &refusal(&root.path().join("cifar-10-binary.tar.gz"), Part::Train),
        &["archive; unpack"],
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_to_themselves() {
    let root = folder(&[]);
    std::os::unix::fs::symlink(".", root.path().join("train")).unwrap();
    assert_says(&refusal(root.path(), Part::Train), &["lies deep within"]);
    let root = folder(&[("cat/0.png", &png(4, 3, 1, 0)), ("dog/0.png", &png(4, 3, 1, 1))]);
    std::os::unix::fs::symlink("..", root.path().join("dog/up")).unwrap();
    assert_says(&refusal(root.path(), Part::Train), &["link in it"]);
}

#[test]
fn cifar_files() {
    let read =
        |name: &str, bytes: &[u8]| refusal(&folder(&[(name, bytes)]).path().join(name), Part::Test);
    let good = cifar(&[&[1], &[9], &[0]]);
    assert_says(
        &read("test_batch.bin", &good[..3073 * 2 + 100]),
        &["test_batch.bin, image 2 (byte 6146", "100 of the 3073"],
    );
    assert_says(
        &read("test_batch.bin", &cifar(&[&[1], &[10]])),
        &["image 1 (byte 3073", "label is 10", "0 to 9"],
    );
    assert_says(
        &read("test.bin", &cifar(&[&[1, 100]])),
        &["image 0", "CIFAR-100 has the labels 0 to 99"],
    );
    assert_says(&read("test_batch.bin", &[]), &["it is empty"]);
}

#[test]
fn images_in_class_folders() {
    let says = |files: &[(&str, &[u8])], parts: &[&str]| {
        assert_says(&refusal(folder(files).path(), Part::Train), parts);
    };
    let good = png(4, 3, 1, 0);
    let cat = ("cat/0.png", &good[..]);
    says(
        &[cat, ("dog/1.png", &png(5, 3, 1, 0))],
        &["dog/1.png, image 1 of the set", "5 × 3", "4 × 3"],
    );
    says(&[cat, ("dog/readme.txt", b"")], &["class `dog` has no image"]);
    for end in [4, 20, 50, good.len() - 14] {
        says(&[cat, ("dog/1.png", &good[..end])], &["dog/1.png, image 1"]);
    }
    for name in ["grey.jpg", "colour.jpg", "progressive.jpg"] {
        let jpeg = fs::read(golden_folder().join(name)).unwrap();
        for end in [3, 30, jpeg.len() / 2, jpeg.len() - 40, jpeg.len() - 2] {
            says(&[("cat/0.jpg", &jpeg), ("dog/1.jpg", &jpeg[..end])], &["dog/1.jpg, image 1"]);
        }
    }
    says(&[cat, ("dog/1.png", b"")], &["dog/1.png", "it is empty"]);
    says(&[cat, ("dog/1.png", b"GIF89a....")], &["GIF", "neither PNG"]);
    says(&[cat, ("dog/1.webp", b"")], &["dog/1.webp", "`.webp`"]);
    says(&[cat, ("dog/1.png", &png(1025, 3, 1, 0))], &["dog/1.png", "1024 pixels"]);
    says(&[("0.png", &good)], &["stand directly in it"]);
    let parts = [("train/cat/0.png", &good[..]), ("test/dog/0.png", &good[..])];
    let root = folder(&parts);
    assert_says(&refusal(root.path(), Part::Test), &["test/dog", "has no class `dog`"]);
}

/// A Parquet file with these images (or none) and labels.
fn table(schema: &str, images: &[Option<&[u8]>], labels: &[i64]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let levels: Vec<i16> = images.iter().map(|image| i16::from(image.is_some())).collect();
    let values: Vec<ByteArray> =
        images.iter().flatten().map(|bytes| ByteArray::from(bytes.to_vec())).collect();
    let mut column = group.next_column().unwrap().unwrap();
    let typed = column.typed::<ByteArrayType>();
    typed.write_batch(&values, Some(&levels), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let typed = column.typed::<Int64Type>();
    typed.write_batch(labels, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn parquet_files() {
    let schema = "message t { OPTIONAL BINARY image; REQUIRED INT64 label; }";
    let good = png(4, 3, 1, 0);
    let says = |bytes: &[u8], parts: &[&str]| {
        let root = folder(&[("train.parquet", bytes)]);
        assert_says(&refusal(root.path(), Part::Train), parts);
    };
    let image = Some(&good[..]);
    says(&table(schema, &[image, None], &[0, 1]), &["image 1 (row 2)", "holds no image"]);
    says(&table(schema, &[image, image], &[0, -1]), &["row 2", "−1"]);
    says(&table(schema, &[image], &[-7]), &["row 1", "label is -7"]);
    says(&table(schema, &[image, Some(b"no")], &[0, 1]), &["row 2", "neither PNG nor JPEG"]);
    let other = png(3, 3, 1, 0);
    says(&table(schema, &[image, Some(&other)], &[0, 1]), &["row 2", "3 × 3"]);
    says(&table(schema, &[], &[]), &["it has no rows"]);
    let misnamed = "message t { OPTIONAL BINARY picture; REQUIRED INT64 label; }";
    says(
        &table(misnamed, &[image], &[0]),
        &["no column of images", "image, img", "picture, label"],
    );
    let misnamed = "message t { OPTIONAL BINARY image; REQUIRED INT64 kind; }";
    says(&table(misnamed, &[image], &[0]), &["no column of labels"]);
    says(b"PAR1 and then nothing", &["train.parquet", "Parquet"]);
}

#[test]
fn subsets() {
    let (images, labels) = idx(&[0, 1, 2, 1, 1], 2, 2);
    let root = folder(&[
        ("train-images-idx3-ubyte", &images),
        ("train-labels-idx1-ubyte", &labels),
        ("train-images-idx3-ubyte", &images),
    ]);
    let set = ImageSet::open(root.path()).unwrap();
    let says = |set: &ImageSet, size, parts: &[&str]| {
        assert_says(&set.subset(size, 0).unwrap_err().to_string(), parts);
    };
    says(&set, 6, &["6 images", "from the 5", "larger than the set"]);
    says(&set, 2, &["3 classes", "one image of each"]);
    says(&set, 0, &["3 classes"]);
    assert_eq!(set.subset(5, 0).unwrap().counts, [1, 3, 1]);
    let (images, labels) = idx(&[0, 0], 2, 2);
    fs::write(root.path().join("train-images-idx3-ubyte"), images).unwrap();
    fs::write(root.path().join("train-labels-idx1-ubyte"), labels).unwrap();
    let single = ImageSet::open(root.path()).unwrap();
    says(&single, 2, &["all of one class"]);
}

type Given = (Vec<u32>, Normalisation, Augmentation, ImageLoaderConfig);

#[test]
fn settings_of_the_loader() {
    let (images, labels) = idx(&[0, 1, 2, 1], 3, 5);
    let root =
        folder(&[("train-images-idx3-ubyte", &images), ("train-labels-idx1-ubyte", &labels)]);
    let set = Arc::new(ImageSet::open(root.path()).unwrap());
    let good: Given = (
        vec![0, 1, 2, 3],
        Normalisation::of(&set, &[0]).unwrap(),
        Augmentation::default(),
        ImageLoaderConfig { batch: 4, seed: 0, epochs: 1, keep_short_batch: false },
    );
    let says = |change: &dyn Fn(&mut Given), part: &str| {
        let mut given = good.clone();
        change(&mut given);
        let (indices, normalisation, augmentation, config) = given;
        let error =
            ImageLoader::new(Arc::clone(&set), indices, normalisation, augmentation, config);
        assert_says(&error.unwrap_err().to_string(), &[part]);
    };
    says(&|given| given.0 = vec![], "no image of it was chosen");
    says(&|given| given.0 = vec![0, 4], "image 4 does not exist");
    says(&|given| given.1.mean = vec![], "for each channel, 1");
    says(&|given| given.1.mean[0] = f32::NAN, "normalisation.mean = NaN");
    for std in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-40] {
        says(&|given| given.1.std[0] = std, "normalisation.std = ");
    }
    says(&|given| given.2.crop = 3, "crop = 3 must be smaller than the images of 3 × 5");
    says(&|given| given.2.cutout = usize::MAX, "cutout = ");
    for mixup in [-0.1, f64::NAN, f64::INFINITY] {
        says(&|given| given.2.mixup = mixup, "mixup = ");
    }
    says(&|given| given.3.batch = 0, "batch = 0");
    says(&|given| given.3.batch = 5, "larger than the 4 images");
    says(&|given| given.3.batch = usize::MAX, "batch = ");
    says(&|given| given.3.epochs = 0, "epochs = 0");
    let json = r#"{"crop": 2, "mixupp": 1}"#;
    let unknown = serde_json::from_str::<Augmentation>(json).unwrap_err();
    assert_says(&unknown.to_string(), &["unknown field `mixupp`"]);
}
