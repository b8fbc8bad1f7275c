"""What people ask for: the uniform sentence of each task, and a grammar of free wording.

A library file; `python prompts.py` prints a sample. The grammar is written by hand: verbs, complaints, things and fillers
are combined, then spoiled a little (typing errors, missing punctuation, capitals). Some templates are held out (`HELD_OUT`)
so that the text encoder is tested on wording that it has not seen.
"""

import random

TASKS = ("super-resolution", "deblurring", "low-light")

UNIFORM = {
    "super-resolution": "Increase the resolution of this picture step by step and restore its fine detail.",
    "deblurring": "Remove the blur from this picture step by step until it is sharp.",
    "low-light": "Brighten this dark picture step by step until it is well exposed.",
}

THINGS = (
    "photo,picture,image,shot,photograph,snapshot,pic,frame,scan,screenshot,portrait,selfie,landscape,scene,capture,file,video frame,old photo,"
    "holiday photo,phone picture,photo of my dog,picture of the kids,wedding photo,street photo,product photo,photo of a car,group photo,frame of a video,camera roll picture"
).split(",")

WISHES = {
    "super-resolution": (
        "upscale {t};upsample {t};enlarge {t};make {t} bigger;make {t} larger;blow {t} up;increase the resolution of {t};raise the resolution of {t};"
        "double the size of {t};make {t} four times larger;upscale {t} 4x;upscale {t} by a factor of 4;4x super resolution of {t};super-resolve {t};super resolution for {t};"
        "enhance the resolution of {t};give {t} more pixels;add more pixels to {t};turn {t} into high resolution;convert {t} to high-res;make {t} high resolution;make {t} hi-res;make {t} hd;"
        "make {t} 4k;zoom in on {t} without losing quality;restore the fine detail of {t} at a higher resolution;recover the lost detail of this thumbnail;make this thumbnail usable;"
        "i need a bigger version of {t};i want to print {t} large, it needs more resolution;make {t} big enough for a poster;get rid of the pixelation in {t};depixelate {t};"
        "fix the blocky pixels of {t};remove the pixelated look of {t};sharper details for this small picture;bring out details of this tiny image;improve the quality of this low-res {b};"
        "restore this low resolution {b};reconstruct this downscaled {b};undo the downscaling of {t};enlarge this small {b} and add detail;increase the pixel count of {t};scale {t} up;"
        "scale up {t};resize {t} to a larger size;expand {t} to full size;produce a large version of this small {b};generate a high resolution version of {t};"
        "bring this thumbnail up to full resolution;increase size of {t};improve resolution;higher resolution please;more resolution;bigger;larger;super resolution;super-resolution;upscaling;upscale;enlarge;sr x4"
    ).split(";"),
    "deblurring": (
        "deblur {t};remove the blur from {t};remove motion blur;get rid of the blur in {t};fix the blur;fix the motion blur in {t};fix this blurry {b};fix this shaky {b};sharpen {t};sharpen this blurry {b};"
        "sharpen this shaky {b};make {t} sharp;make {t} sharper;make {t} crisp;make {t} less blurry;make {t} clear, it is blurry;correct the camera shake in {t};undo the camera shake;"
        "remove the shake from {t};remove camera shake from {t};stabilize this blurred {b};undo the motion blur in {t};unblur {t};reduce the blur of {t};take the blur out of {t};clear up the blur in {t};"
        "bring {t} into focus;refocus {t};fix the focus of {t};correct the out of focus {b};this out-of-focus {b} should be sharp;restore sharpness to {t};restore a sharp {b} from this blurred one;"
        "recover the sharp edges of {t};remove the smearing from {t};remove the streaks from {t};freeze the motion in {t};deconvolve {t};get the edges crisp again;turn this blurred {b} into a sharp one;"
        "clean up the motion smear;make the moving car sharp;make the moving people sharp;sharpness please;crisp edges please;restore this motion blurred {b};"
        "correct blurred {b};repair the blurred {b};deblurring;deblur;sharpen;unblur;focus;remove blur;fix blur;less blur"
    ).split(";"),
    "low-light": (
        "brighten {t};brighten up {t};lighten {t};lighten up {t};make {t} brighter;make {t} lighter;make {t} less dark;increase the brightness of {t};increase the exposure of {t};raise the exposure of {t};"
        "fix the exposure of {t};fix this dark {b};fix this underexposed {b};correct the underexposure of {t};correct the exposure;expose {t} properly;light up {t};illuminate {t};"
        "enhance this low-light {b};enhance this low light {b};low-light enhancement of {t};improve this night {b};improve the lighting of {t};improve the light in {t};fix the lighting;turn on the lights in {t};turn night into day;make night look like day;"
        "bring out the shadows in {t};lift the shadows of {t};recover the shadows;show what is hidden in the dark;reveal what is in the dark parts of {t};relight {t};add more light to {t};give {t} more light;"
        "make {t} visible, it is too dark;boost the brightness of {t};pull up the exposure;push the exposure of {t};recover this underexposed {b};restore this dark {b};restore the colours of this dark {b};"
        "i want to see what is in this dark {b};turn this dim {b} into a bright one;brighten the night {b};make this gloomy {b} bright;improve visibility in this dark {b};"
        "brightness please;more light please;low light enhancement;low-light;brighten;lighten;brighter;more light;relight;exposure;night mode;less dark;fix dark"
    ).split(";"),
}

COMPLAINTS = {
    "super-resolution": (
        "{t} is too small;{t} is tiny;{t} has too few pixels;{t} is low resolution;{t} is low-res;{t} is lowres;{t} is pixelated;{t} looks blocky;{t} is only 200 pixels wide;the resolution of {t} is too low;"
        "the resolution is bad;all i have is a thumbnail;it was saved at a tiny size;someone shrank {t};{t} was downscaled;it turns pixelated when i zoom in;you can count the pixels;not enough pixels for printing;"
        "{t} is too small to print;i only have the small version;details got lost when {t} was resized;it came from an old phone with few megapixels;{t} is a small jpg from the web"
    ).split(";"),
    "deblurring": (
        "{t} is blurry;{t} is blurred;{t} is shaky;{t} is out of focus;{t} is not sharp;{t} is unsharp;{t} is fuzzy;my hands were shaking;my hand was shaking when i took {t};the camera moved;the camera shook;i moved the camera;"
        "there is motion blur in {t};{t} has motion blur;{t} is smeared;everything is smeared;the subject moved;the car was driving too fast;the kids would not hold still;the dog moved;the focus is off;"
        "the autofocus missed;the lens was not focused;the shutter was too slow;exposure time was too long and it smeared;taken from a moving train;the edges are soft from shaking;camera shake ruined {t};"
        "i took {t} while running;i can't read the licence plate, it is blurred;the text is smeared by motion;the bike is just a streak"
    ).split(";"),
    "low-light": (
        "{t} is too dark;{t} is dark;{t} is underexposed;{t} is under-exposed;{t} is very dark;{t} is nearly black;{t} is dim;{t} is gloomy;it was night;i took {t} at night;it was taken at night without a flash;there was not enough light;"
        "the room was dark;the lights were off;i can barely see anything in {t};can't see anything, it is so dark;everything is black;the faces are in the dark;the shadows are too deep;the exposure was too short and it came out dark;"
        "the flash did not fire;bad lighting;poor light;the lighting is poor;low light;it is all in shadow;taken by candle light;the sun was already down;the cellar was badly lit;the picture came out black"
    ).split(";"),
}

# A second wish that is declined or less important: the main wish decides.
DECLINED = {
    "super-resolution": "do not enlarge it;no need to upscale it;keep the size;without changing the resolution;don't make it bigger;the size is fine;resolution is fine;not larger",
    "deblurring": "no need to sharpen it;don't sharpen it;it is sharp enough already;without sharpening;do not deblur it;the focus is fine;sharpness is fine;it isn't blurry",
    "low-light": "no need to brighten it;don't brighten it;do not change the brightness;the exposure is fine;brightness is fine;without making it brighter;keep it dark;it isn't too dark;the lighting is fine;leave the light as it is",
}
DECLINED = {task: text.split(";") for task, text in DECLINED.items()}

OPENERS = "please;can you;could you please;could you;i want you to;i would like to;i'd like you to;help me;hi,;hello, can you;hey;just;would you;now;try to;we need to;you should;kindly;let's;is it possible to;how do i".split(";")
CLOSERS = "please;thanks;thank you;if you can;step by step;gradually;as well as possible;carefully;a bit;a lot;and keep it natural;keep the colours;without artifacts;asap;for my mum;for the website;for a print;but keep the faces natural;like a professional would".split(";")
JOINS = (", ", ". ", " - ", "; ", " and ", ", so ", " because ", ": ", " ")

# Wording of these kinds is never trained on; it tests the encoder.
HELD_OUT = {
    "super-resolution": [
        "The thing is minuscule, I'd love it at poster size.", "Only a 120 px avatar is left of her, can you get me a large one?", "my image is 320x240, make it bigger pls", "Quadruple the dimensions of this.",
        "I see squares instead of smooth lines when zooming", "it's a tiny picture, make it huge", "enhance! zoom! more detail on this low resolution security still", "Could you upscle my photo to 4K?", "more pixels!!", "Too few megapixels.",
        "This icon needs to be larger, exposure is okay.", "pixelated mess, fix", "Enlarge it. It isn't blurry and it isn't dark.", "increase resolution, no brightening wanted", "I need this thumbnail in print quality",
    ],
    "deblurring": [
        "my photo is blury", "Sharpen this shaky shot, no need to brighten it.", "I was on a bumpy bus when taking this one", "unsharp, what a pity; rescue it", "The runner is one long smear, freeze him", "get this back in focus would you",
        "the shot has a lot of motion blur, can it be rescued?", "camera shook. fix.", "Everything is fuzzy because I moved", "It's blurred but the brightness is good", "make it crisp", "remove the motion blr from this image",
        "Deblur. The size can stay.", "the cyclist moved during exposure and looks smeared", "I want sharp edges, it's all shaky",
    ],
    "low-light": [
        "my photo is too dark", "I can't make out anything in this night shot", "pitch black room, turn the lights up", "Way too dim!", "underexposd, please correct", "shot at midnight, lift the exposure", "Bring light into this gloomy cellar picture",
        "brighten it, it is sharp enough", "it is so dark I see nothing, please help", "the flash failed and the people are black", "The exposure is off by four stops, too dark", "lighter please", "Make the dark alley visible.",
        "Don't sharpen, only make it brighter", "expose this night photograph as if it were day",
    ],
}


def phrase(rng, text):
    thing = rng.choice(THINGS)
    return text.replace("{t}", rng.choice(("this ", "the ", "my ", "this ", "")) + thing if rng.random() < 0.7 else rng.choice(("it", "this", "that"))).replace("{b}", thing)


def misspell(rng, text):
    """Swap, drop or double one letter of one longer word."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3]
    if not long:
        return text
    i = rng.choice(long)
    word = words[i]
    k = rng.randrange(1, len(word) - 1)
    words[i] = rng.choice((word[:k] + word[k + 1] + word[k] + word[k + 2 :], word[:k] + word[k + 1 :], word[:k] + word[k] + word[k:]))
    return " ".join(words)


def wish(rng, task):
    """One request for `task`, without a scene."""
    others = [t for t in TASKS if t != task]
    kind = rng.random()
    main = phrase(rng, rng.choice(WISHES[task]))
    if rng.random() < 0.3:
        main = rng.choice(OPENERS) + " " + main
    if rng.random() < 0.2:
        main = main + rng.choice((" ", ", ")) + rng.choice(CLOSERS)
    complaint = phrase(rng, rng.choice(COMPLAINTS[task]))
    if kind < 0.4:
        text = main
    elif kind < 0.55:
        text = complaint
    elif kind < 0.7:
        parts = [main, complaint]
        rng.shuffle(parts)
        text = rng.choice(JOINS).join(parts)
    elif kind < 0.85:  # another task is declined
        parts = [rng.choice((main, complaint)), rng.choice(DECLINED[rng.choice(others)])]
        if rng.random() < 0.3:
            parts.reverse()
        text = rng.choice((", ", ". ", ", but ", " and ", "; ", " - ", " ")).join(parts)
    elif kind < 0.93:  # two wishes, one of them first
        second = phrase(rng, rng.choice(WISHES[rng.choice(others)]))
        text = rng.choice(("{a}, and maybe {b} a little", "mainly {a}, then perhaps {b}", "above all {a}; {b} only if needed", "{a} first of all, {b} is less important", "most important: {a}. optional: {b}", "{a} rather than {b}", "{a} instead of {b}", "do not {b}, just {a}", "{a}, not {b}"))
        text = text.replace("{a}", main).replace("{b}", second)
    else:
        text = main + rng.choice(JOINS) + phrase(rng, rng.choice(WISHES[task]))
    return text


def spoken(rng, text):
    """Capitals, punctuation and typing errors as people leave them."""
    if rng.random() < 0.15:
        text = misspell(rng, text)
    if rng.random() < 0.5:
        text = text[:1].upper() + text[1:]
    if rng.random() < 0.05:
        text = text.upper()
    return text + rng.choice(("", "", ".", ".", "!", "?", "..."))


def free(rng, task, scenes=()):
    """Free wording for `task`; sometimes with a description of a picture before or after it."""
    if rng.random() < 0.15:
        text = UNIFORM[task] if rng.random() < 0.5 else UNIFORM[task].replace(" step by step", "")
    else:
        text = spoken(rng, wish(rng, task))
    if scenes and rng.random() < 0.4:
        scene = rng.choice(scenes)
        text = f"{text} {scene}" if rng.random() < 0.6 else f"{scene} {text}"
    return text


def with_scene(task, scene):
    return f"{UNIFORM[task]} {scene}"


if __name__ == "__main__":
    generator = random.Random(0)
    for task in TASKS:
        for _ in range(8):
            print(f"{task:17} {free(generator, task, ['Two boats on a lake.'])}")
