"""A larger grammar of requests: how people of many kinds ask for one of the three tasks. The text encoder learns on it.

A library file; `python wording.py` prints a sample. Rules are expanded recursively: `{name}` stands for one of the alternatives of a rule, chosen evenly; `[x]`
is left out half of the time. Every request has one task, decided so:

- a wish that is declined ("no need to ...", "... is fine") never counts;
- of two wishes the stressed one counts ("mainly", "above all", "rather than", "is optional"); if none is stressed, the first;
- a complaint ("it is too dark") is a wish; a description of the scene ("a dark alley") is not.

`held_out_prompts.jsonl` was written before this grammar and must stay unknown to it: no line of that file is looked at here.
"""

import random
import re

from prompts import TASKS, UNIFORM, free, misspell

SHORT = {"super-resolution": "sr", "deblurring": "blur", "low-light": "dark"}

COMMON = {
    "noun": "photo|picture|image|shot|pic|photograph|snapshot|frame|screenshot|scan|portrait|selfie|file|capture|foto|img|still|jpeg|jpg|png|one|thing|crop|attachment",
    "subject": "dog|cat|bird|horse|kid|kids|baby|daughter|son|wife|husband|mother|grandfather|friend|team|band|player|runner|dancer|car|bike|train|bus|boat|plane|house|garden|street|building|church|bridge|flower|tree|mountain|beach|lake|room|kitchen|office|shop|sign|document|receipt|page|plate|number plate|label|map|painting|statue|product|shoe|watch|cake|dish|table|wedding|birthday|party|concert|match|race|holiday|trip|graduation|cell|specimen|slide|tissue|star|moon|galaxy|field|roof|crowd",
    "det": "this|the|my|our|that|a|his|her|their|this old|this poor|my favourite|my only|the attached|the following|an old",
    "it": "it|this|that|{det} {noun}|{det} {noun} of {det} {subject}|{det} {subject} {noun}|{noun}|everything|the whole {noun}|them|these|{det} {subject}",
    "isa": "is|looks|seems|came out|turned out|got|appears|is really|is very|is way too|is too|is a bit|is pretty|is so|looks kind of|is rather|was|ended up|is terribly|is horribly|is somewhat|are|look|is just|is only|is simply",
    "very": "very |really |so |too |way too |far too |much too |quite |pretty |extremely |super |a bit |a little |rather |totally |completely |slightly |awfully |kinda |||||",
    "open": "please|pls|plz|please please|can you|can u|could you|could you please|would you|would you mind to|would you kindly|will you|i want to|i want you to|i'd like to|i would like you to|i need you to|i need to|we need to|we want to|we must|you must|help me|help me to|hi|hello|hey|hi there,|dear team,|dear sir or madam, please|good morning,|excuse me,|just|now|try to|let's|let us|is it possible to|is there a way to|how do i|how can i|how would one|any chance to|kindly|do|ok,|so|um|omg|quick:|task:|goal:|instruction:|wish:|your job is to|the aim is to|i hope you can|i am trying to|it would be great to|it'd be lovely if you could|my boss wants me to|my professor asked me to|my mum asks if you can|the customer wants to|for the exhibition we have to|for the report i have to|maybe you can|are you able to|go ahead and|simply|only|first of all|all i want is to|the only thing to do is to|remember to|don't forget to|feel free to|why not|time to|it is time to|we should|one should",
    "close": "please|pls|plz|thanks|thank you|thx|ty|cheers|thanks in advance|many thanks|thanks a lot|thanks a million|kind regards|best regards|if you can|if possible|if that works|as much as possible|as well as you can|a bit|a little|a lot|slightly|step by step|gradually|carefully|quickly|asap|now|today|right away|for my mum|for my thesis|for my paper|for the newspaper|for the website|for the shop|for a friend|for my slides|for the report|for the police|and keep it natural|but keep it natural|without artifacts|without noise|without ruining the colours|and keep the colours|but don't overdo it|like a professional|lol|:)|:(|haha|omg|urgent|it is important to me|i beg you|would be great|that's all|nothing else|and that is it|no filters|again|once more|in nine steps|over nine frames|progressively|it's for my grandmother|i only have this one|it is the only one we have|i can't take it again|my friends laugh at me|it means a lot",
    "join": ", |. |; | - |: | and | so | because | as | since |, so |, and | |... |! |\n| (",
}

WISHES = {
    "sr": {
        "act": "upscale|upsample|up-sample|up-res|upres|uprez|up-scale|enlarge|magnify|super-resolve|superresolve|blow up|scale up|size up|expand|increase the size of|increase the resolution of|raise the resolution of|boost the resolution of|improve the resolution of|enhance the resolution of|double the resolution of|quadruple the resolution of|multiply the resolution of|triple the size of|double the size of|add resolution to|add pixels to|add more pixels to|give more pixels to|resize up|resize|depixelate|de-pixelate|unpixelate|zoom in on|zoom into|interpolate|supersample|increase the pixel count of|increase the dimensions of|increase the dpi of|increase the number of pixels of|grow|widen the dimensions of|enbiggen|embiggen|enlarge|rebuild the lost detail of|reconstruct the fine detail of|restore the resolution of|recover the resolution of|undo the downscaling of|undo the downsampling of|reverse the downscaling of|undo the shrinking of",
        "state": "bigger|larger|big|large|huge|high-res|high res|hi-res|hires|high resolution|high-resolution|higher resolution|full resolution|full size|full-size|poster size|print size|a3|a4 size|hd|full hd|uhd|4k|8k|1080p|2160p|twice as big|twice as large|two times larger|three times bigger|four times as large|four times larger|4x|x4|x2|x3|x8|4 times bigger|as big as a poster|big enough to print|big enough for a wall|large enough for a banner|large enough for the screen|more detailed and larger|less pixelated|less blocky|less pixely|smooth instead of pixelated|300 dpi|2000 pixels wide|3000 px wide|12 megapixels|of higher definition|high definition|high def|printable|gigantic|enormous|massive",
        "want": "resolution|more resolution|more pixels|extra pixels|a higher resolution|higher resolution|a larger version|a bigger version|a large version|a full-size version|a high-resolution version|a larger file|a bigger file|a larger size|a bigger size|larger dimensions|bigger dimensions|a higher pixel count|more dpi|a higher dpi|more megapixels|more ppi|an upscaled version|an enlargement|a big print|a poster|an hd version|a 4k version|more definition|finer detail than these few pixels give|super resolution|super-resolution|upscaling|upsampling|magnification|an enlarged copy|a magnified view|finer sampling|denser sampling|real detail instead of blocks",
        "bad": "small|tiny|little|minuscule|mini|teeny|teensy|microscopic|low-res|low res|lowres|lo-res|low resolution|low-resolution|low in resolution|low definition|low def|pixelated|pixelly|pixely|pixellated|blocky|jagged|jaggy|made of squares|full of squares|full of blocks|downscaled|downsampled|subsampled|shrunk|undersized|thumbnail-sized|icon-sized|of poor resolution|of low resolution|too small for the screen|only 100 pixels wide|only 240p|only 64x64|just 200x150|150 px wide|a thumbnail|a mere thumbnail|an icon|not big enough|not large enough|not high-res enough|not detailed enough because of the few pixels|aliased|coarse|coarsely sampled|72 dpi",
        "cause": "someone shrank {it}|it was shrunk|the website shrank it|the app downscaled it|facebook made it tiny|i saved it too small|i exported it too small|i only have the thumbnail|i only have a small copy|only a small version survived|the original is lost, only a small copy is left|the original big file is gone|it is cut out of a larger picture and has few pixels left|it is a small crop|it is a strong crop|i cropped too much|it is from an old phone with few megapixels|my old webcam had 0.3 megapixels|it came from a cheap sensor with few pixels|the scanner was set to 72 dpi|the scan is only 100 dpi|the journal asks for 300 dpi|the publisher wants more pixels|you can count the pixels|you can see the single pixels|i see blocks when i zoom|when zooming it gets pixelated|when i zoom in it falls apart into blocks|it gets blocky when i make it larger|it looks pixelated on my big screen|the edges are jagged|there are not enough pixels|there are too few pixels|the resolution is too low|the resolution is bad|the resolution is poor|the resolution is insufficient|the resolution is awful|its dimensions are too small|its size is 120x90|it measures only 200 pixels|it has only 0.1 megapixels|it was downsampled by a factor of four|it was bicubically downscaled|it is a favicon|it was taken from a video at 240p|the camera was too far away and only a few pixels show the {subject}|the face is only ten pixels wide|i want to print it large|i want it on a poster|it has to fill my screen|it must cover a billboard|it shall hang on the wall, two metres wide|it has to be shown on a big tv|i need to crop into it|the detail was lost when it was resized",
        "foreign": "vergrößern|vergroessern|größer machen|groesser bitte|zu klein|höhere auflösung|hohere auflosung|auflösung erhöhen|mehr pixel|bild ist klein|agrandir|plus grand|trop petit|trop petite|augmenter la resolution|haute resolution|plus de pixels|ampliar|agrandar|mas grande|muy pequena|demasiado pequena|aumentar la resolucion|alta resolucion|mas pixeles|ingrandire|piu grande|troppo piccola|risoluzione|aumentare la risoluzione|maior|muito pequena|aumentar a resolucao|groter maken|te klein|powieksz|buyut",
        "fine": "the size is fine|size is ok|size is okay|the resolution is fine|resolution is okay|resolution is good|resolution ok|there are enough pixels|it has enough pixels|it is large enough|it is big enough|big enough already|it is already high-res|it is not small|it isn't small|it's not too small|it isn't low-res|not low res|the dimensions are fine|the dimensions may stay|keep the size|keep the resolution|keep it small|keep its dimensions|leave the size|leave the resolution alone|same size please|size does not matter|resolution doesn't matter|i don't care about the size|i don't care about resolution|without changing the size|without upscaling|without enlarging it|without resizing|no upscaling|no enlargement|no upscale|no resizing|not bigger|not larger",
        "label": "super resolution|super-resolution|sr|sisr|image super-resolution|single image super resolution|upscaling|upsampling|enlargement|magnification|resolution|resolution enhancement|x4 sr|4x upscaling|bicubic downsampling x4|lr to hr|hr from lr|low-resolution input|depixelation|hi-res|zoom",
    },
    "blur": {
        "act": "deblur|de-blur|unblur|un-blur|sharpen|sharpen up|resharpen|crisp up|refocus|focus|bring into focus|deconvolve|de-shake|deshake|unshake|stabilise|stabilize|steady|freeze|remove the blur from|remove blur from|remove the motion blur from|remove motion blur from|remove the camera shake from|remove the shake from|remove the smear from|remove the smearing from|remove the ghosting from|remove the double edges from|remove the trails from|remove the streaks from|take away the blur of|take the blur out of|get the blur out of|get rid of the blur in|get rid of the motion blur in|get rid of the shake in|get rid of the smear in|eliminate the blur in|reduce the blur of|reduce motion blur in|lessen the blur in|clear the blur of|clean the blur of|undo the blur of|undo the shake of|undo the motion blur of|undo the camera movement in|reverse the blur of|correct the blur of|correct the camera shake of|correct the focus of|correct the misfocus of|compensate the camera movement in|compensate the shake of|compensate for the motion in|fix the blur of|fix the blurriness of|fix the focus of|fix the shake of|fix the motion blur in|fix the camera shake in|fix the softness of|repair the blur of|restore the sharpness of|recover the sharpness of|improve the sharpness of|increase the sharpness of|enhance the sharpness of|recover the sharp edges of|clarify the smeared|clear up the wobbly|stop the motion in|hold still",
        "state": "sharp|sharper|crisp|crisper|crispy|crystal clear|razor sharp|tack sharp|pin sharp|super sharp|in focus|focused|focussed|well focused|less blurry|less blurred|less fuzzy|less shaky|less smeared|less soft|not blurry|not so blurry|unblurred|blur-free|blur free|free of blur|free of shake|steady|as sharp as possible|as if i had held still|as if nothing had moved|sharp again|crisp again|clear instead of blurry|readable instead of smeared|well defined at the edges|sharp at the edges|with crisp edges|with sharp edges|with sharp contours|still|frozen in motion",
        "want": "sharpness|more sharpness|crispness|sharp edges|crisp edges|crisp outlines|sharp contours|clear contours|a sharp picture|a sharp image|a sharp version|a sharper version|a crisp version|a deblurred version|a focused picture|better focus|correct focus|less blur|no blur|no motion blur|less motion blur|less shake|no shake|less smear|no smear|no ghosting|deblurring|sharpening|refocusing|stabilisation|deconvolution|motion deblurring|the blur gone|the shake gone|the smear gone|the blur away|the motion frozen|the movement stopped|the lines crisp|the eyes sharp|the text readable, it is smeared|single edges instead of double ones",
        "bad": "blurry|blurred|blury|blurr|all blurry|all blurred|fuzzy|fuzzy at the edges|unsharp|not sharp|not sharp enough|not crisp|soft|too soft|mushy|smeared|smeary|smudged|smudgy|shaky|shaken|wobbly|jittery|wiggly|trembly|out of focus|out-of-focus|not in focus|unfocused|defocused|defocussed|misfocused|misfocussed|off focus|motion blurred|motion-blurred|moved|streaky|ghosted|doubled|seen double|hazy at the edges|woolly|swimming|like through a wet window|a blur|one big blur|just a smear|just a streak|a smudge|a mess of streaks|a blurry mess|double-edged|vague|indistinct at the edges|cloudy at the edges",
        "cause": "my hand shook|my hands shook|my hands were shaking|my hands trembled|my hands are not steady|i was shaking|i was trembling|i was shivering|i sneezed|i was running|i was walking while shooting|the boat rocked|the train moved|the car was moving|i took it from a moving car|i shot it from a train window|i shot out of a driving bus|the engine vibrated|the wind shook the tripod|the tripod moved|the camera moved|the camera shook|the camera slipped|i moved the camera|i moved the phone|i moved when pressing the button|i panned too fast|i panned too slowly|there was camera shake|there is camera shake|there is hand shake|there is motion blur|there is a lot of blur|there's motion in it|{det} {subject} moved|{det} {subject} was moving|{det} {subject} was running|{det} {subject} ran past|{det} {subject} jumped|{det} {subject} would not hold still|{det} {subject} turned around|{det} {subject} is a streak|{det} {subject} is just a smear|{det} {subject} is smeared|{det} {subject} is blurred|{det} {subject} is out of focus|{det} {subject} was flying past|{det} {subject} drove by|the shutter was too slow|the shutter speed was too low|slow shutter|the shutter was open too long and it smeared|a long exposure smeared it|the exposure took too long and people moved|the autofocus missed|the autofocus failed|the focus missed|the focus is off|the focus is wrong|the focus sits behind the {subject}|i missed the focus|i focused on the wrong thing|the lens was not focused|the lens was out of focus|the lens hunted|i forgot to focus|it isn't focused|everything has double edges|everything is double|i see everything twice|the edges are doubled|the edges are smeared|the edges are soft|the letters run into each other|the text is smeared and unreadable|the microscope was not focused|it looks like i was drunk|it wobbles|it looks as if seen through tears|the picture shakes|lines run from left to right|there is a horizontal streak of motion",
        "foreign": "unscharf|verwackelt|verschwommen|scharf machen|schärfer bitte|scharfer bitte|scharfen|entwackeln|unschärfe entfernen|bewegungsunschärfe|flou|floue|trop flou|plus net|plus nette|rendre net|enlever le flou|flou de bouge|bougee|borroso|borrosa|movida|desenfocada|mas nitida|nitidez|enfocar|quitar el desenfoque|sfocata|sfocato|mossa|nitida|mettere a fuoco|desfocada|tremida|mais nitida|onscherp|bewogen|scherper|rozmazane|bulanik",
        "fine": "the sharpness is fine|sharpness is ok|sharpness is fine|sharpness ok|the focus is fine|the focus is good|focus is good|focus ok|it is sharp|it is sharp enough|it's sharp already|sharp enough already|it is in focus|it is perfectly focused|it is not blurry|it isn't blurry|it isn't blurred|it's not shaky|it is not shaky|not blurry|not shaky|not out of focus|there is no blur|there's no shake|nothing is smeared|the blur can stay|i like the blur|leave the focus alone|keep the softness|keep the blur|sharpness doesn't matter|i don't care about the blur|without sharpening|without deblurring|no sharpening|no deblurring|no deblur|no sharpen|no refocusing|not sharper",
        "label": "deblurring|deblur|motion deblurring|blind deblurring|image deblurring|motion blur|motion blur removal|camera shake|camera shake removal|defocus deblurring|deconvolution|blind deconvolution|kernel estimation|sharpening|sharpness|unsharp|focus|refocus|shake reduction|image stabilisation|anti-shake|blur removal|blur",
    },
    "dark": {
        "act": "brighten|brighten up|lighten|lighten up|light up|illuminate|relight|re-light|lamp up|expose|re-expose|overexpose a little|increase the brightness of|raise the brightness of|boost the brightness of|turn up the brightness of|pull up the brightness of|pump up the brightness of|increase the exposure of|raise the exposure of|boost the exposure of|push the exposure of|push|pull up the exposure of|pull up the shadows of|correct the exposure of|fix the exposure of|fix the underexposure of|correct the underexposure of|compensate the underexposure of|repair the lighting of|fix the lighting of|improve the lighting of|enhance the lighting of|improve the light of|add light to|add more light to|add some light to|add brightness to|give light to|bring light into|bring light to|put some light into|shine a light on|turn on the lights in|switch on the light in|lift the shadows of|lift|lift the blacks of|open up the shadows of|open the shadows of|raise the shadows of|recover the shadows of|bring out the shadows in|bring out the shadow detail in|show what is hidden in the dark of|reveal the dark parts of|reveal what is in the dark of|make visible what is in|uncover the darkness of|fight the darkness in|remove the darkness from|remove the dark from|get rid of the darkness in|take away the darkness of|reduce the darkness of|undo the darkness of|increase the visibility of|improve the visibility of|enhance the visibility of|improve the low light of|enhance the low light of|enhance the luminance of|increase the luminosity of|increase the luminance of|apply gamma to brighten|gain up|turn night into day in|make day out of night in",
        "state": "bright|brighter|much brighter|lighter|much lighter|light|less dark|not so dark|not as dark|well lit|better lit|well exposed|better exposed|properly exposed|correctly exposed|normally exposed|daylight bright|like daylight|like day|as bright as day|as if the lamp were on|as if it were noon|as if there had been a flash|sunny|visible|visible in the dark|more visible in the dark parts|more luminous|luminous|illuminated|two stops brighter|a stop lighter|brighter by 3 ev|less gloomy|less dim|less murky|less black|less underexposed|readable, it is too dark",
        "want": "light|more light|some light|brightness|more brightness|a bit of light|daylight|some sun|exposure|more exposure|a higher exposure|a longer exposure|better lighting|good lighting|proper lighting|better light|lighter shadows|open shadows|shadow detail|detail in the shadows|a brighter picture|a bright version|a brighter version|a lighter version|a well-lit version|a correctly exposed version|night vision|night mode|visibility|better visibility in the dark|less darkness|no darkness|brightening|lightening|illumination|more illumination|relighting|low-light enhancement|low light enhancement|exposure correction|exposure compensation|a day version of this night shot|to see something|to see what is there in the dark|to see the faces in the dark|to see the shadows|the light on|the lights on",
        "bad": "dark|too dark|very dark|darkish|black|all black|nearly black|almost black|pitch black|pitch dark|pitch-black|jet black|dim|too dim|badly lit|poorly lit|unlit|underlit|not lit|gloomy|shadowy|dusky|sombre|somber|obscure|in the dark|in shadow|in deep shadow|in the shade|underexposed|under-exposed|under exposed|strongly underexposed|badly exposed, far too dark|lacking light|short of light|without light|lightless|starved of light|low light|low-light|lowlight|low key and unreadable|invisible in the dark|hardly visible|barely visible|barely visible in the darkness|backlit|a silhouette|a black silhouette|black as night|dark as night|a black rectangle|a black hole|not bright|not bright enough|not light enough|too low in brightness|blacked out",
        "cause": "it was night|it was nighttime|it was midnight|it was late at night|it was dusk|it was evening|it was after sunset|the sun had set|the sun was already gone|there was no light|there was hardly any light|there was too little light|there wasn't enough light|not enough light|too little light|the light was off|the lights were off|the lights were out|the lamp was off|the lamp was broken|the bulb was broken|the power failed|there was a blackout|nobody switched on the light|there was only a candle|we only had candles|by candle light|by the light of a phone|the flash failed|the flash did not fire|the flash didn't work|i had no flash|no flash|flash was forbidden|i forgot the flash|the flash did not reach {det} {subject}|taken at night|shot at night|taken in the dark|taken in a cellar|taken in a tunnel|taken in a bar|taken in a club|taken in the cinema|taken in the theatre|taken in a church without lamps|taken indoors without lamps|taken against the light|shot against a window|the window behind is bright and {det} {subject} is black|{det} {subject} is backlit|{det} {subject} is in the dark|{det} {subject} is in shadow|{det} {subject} is hardly visible in the dark|{det} {subject} is only a silhouette|{det} {subject} came out black|the faces are black|the faces are dark|the faces are in the shadow|the face is in shadow|the shadows are black|the shadows are too deep|the shadows swallow everything|i can see nothing|i see nothing|i can't see anything|you can't see anything|you see nothing but black|nothing can be seen|nobody can see what it is, so dark it is|i can hardly see {det} {subject} in the dark|i can barely make out {det} {subject} in the darkness|one hardly recognises {det} {subject}, it is so dark|everything is black|everything is dark|everything is in shadow|the room was dark|the exposure was too short|the exposure was too low|the exposure is off, too dark|i set the exposure wrong and it is black|i set the iso too low|iso was too low|the aperture was closed|the aperture was too small and it came out dark|all the pixels are near zero|bad lighting|poor lighting|the lighting was bad|the lighting is poor|the illumination is poor|the security camera has no infrared|i want to know what is in the dark",
        "foreign": "zu dunkel|dunkel|sehr dunkel|heller|heller machen|aufhellen|bitte heller|mehr licht|unterbelichtet|helligkeit erhöhen|belichtung|trop sombre|sombre|plus clair|plus claire|plus lumineux|plus de lumiere|eclaircir|eclairer|sous-exposee|luminosite|oscuro|oscura|muy oscuro|muy oscura|demasiado oscura|mas claro|mas clara|mas brillo|mas luz|aclarar|iluminar|subexpuesta|buio|buia|troppo scura|scura|piu chiara|piu luce|schiarire|illuminare|escura|muito escura|mais clara|mais luz|clarear|te donker|donker|lichter|za ciemne|rozjasnij|karanlik",
        "fine": "the brightness is fine|brightness is ok|brightness is good|brightness ok|lightness ok|the exposure is fine|the exposure is good|exposure is ok|exposure okay|the light is fine|the light is good|the lighting is fine|the lighting is good|light is okay|it is bright enough|it is light enough|bright enough already|it is well lit|it is well exposed|it is not dark|it isn't dark|it isn't too dark|it's not dark|not dark|not too dark|not underexposed|the darkness is okay|the darkness can stay|the darkness is intended|i like it dark|keep it dark|keep the mood dark|keep the exposure|keep the brightness|keep the light|leave the light|leave the light as it is|leave the exposure alone|leave the brightness|brightness doesn't matter|i don't care about the light|i don't mind the darkness|without brightening|without lightening it|without changing the exposure|without more light|no brightening|no brighten|no lightening|no relighting|no exposure change|not brighter|not lighter",
        "label": "low light|low-light|lowlight|low-light enhancement|low light enhancement|low-light image enhancement|llie|exposure correction|underexposure|underexposed|brightness|brightening|relighting|illumination|night|night mode|night vision|exposure|darkness|dark image|shadows|gamma",
    },
}

PATTERNS = {
    "wish": "{act} {it}|{act} {it}|{act} {it}|{act} {det} {noun}|make {it} {state}|make {it} {state}|make {it} {state}|make {det} {noun} {state}|turn {it} into something {state}|get {it} {state}|render {it} {state}|get me {want}|give me {want}|give {it} {want}|give us {want}|i want {want}|i need {want}|i would like {want}|i'd love {want}|we need {want}|it needs {want}|{it} needs {want}|{it} needs to be {state}|{it} should be {state}|{it} must be {state}|{it} has to be {state}|i want {it} {state}|i want {it} to be {state}|i need {it} {state}|i wish {it} were {state}|i'd like {it} {state}|we want {it} {state}|can {it} be {state}|could {it} be {state}|want {state} {noun}|need {state} {noun}|{state} please|{state}|{want}|{want} please|{want} for {it}|produce {want}|create {want}|generate {want} from {it}|{act}|{act} it|{act} this|{act} pls|{label}|{label} please|do {label}|apply {label}|{label} of {it}|fix this {bad} {noun}|fix {det} {bad} {noun}|repair this {bad} {noun}|rescue {det} {bad} {noun}|save my {bad} {noun}|improve this {bad} {noun}|restore this {bad} {noun}|enhance {det} {bad} {noun}|{act} {det} {bad} {noun}|help with {det} {bad} {noun}|do something about {det} {bad} {noun}|can {det} {bad} {noun} be saved|{foreign}|{foreign} please|{foreign} {noun}|{noun} {foreign}|{det} {noun} is {foreign}|make {noun} {foreign}",
    "complaint": "{it} {isa} {bad}|{it} {isa} {bad}|{it} {isa} {bad}|{it} {isa} {bad}|{it} is {very}{bad}|{it} is {very}{bad}|{very}{bad}|{bad}|{bad} {noun}|{very}{bad} {noun}|{noun} {bad}|{noun} {very}{bad}|so {bad}|it's {very}{bad}|its {very}{bad}|{cause}|{cause}|{cause}|{cause}|{cause}|{cause}|why is {it} so {bad}|why does {it} look so {bad}|what a {bad} {noun}|a {bad} {noun} of {det} {subject}|my {noun} is {bad}|all my {noun}s are {bad}|{it} is {bad} because {cause}|{cause}, so {it} is {bad}|{cause} and now {it} is {bad}|i hate that {it} is {bad}|sadly {it} is {bad}|unfortunately {cause}|the problem: {it} is {bad}|problem is that {cause}|{it} could be ok but it is {very}{bad}|nothing but {bad}|{noun}: {bad}|i have a {bad} {noun}|we got a {bad} {noun}|i am unhappy, {it} is {bad}",
}

STRESS = (
    "{a} and then {b}|first {a} then {b}|first {a}, second {b}|{a} first, {b} later|{a} first and {b} afterwards|{a} and maybe {b}|{a}, maybe also {b}|{a} and perhaps {b} a bit|{a}, then {b} if possible|{a}, plus {b} if there is time|{a}, {b} too if you can|{a} and also {b}|{a} as well as {b}|{a} and {b}|{a} & {b}|{a}, {b}|{a}; {b}|{a}, afterwards {b}|"
    "mainly {a}, also {b}|mostly {a}, a bit of {b}|mostly {a}; {b} is secondary|above all {a}, {b} if there is time|above all {a}. {b} would be nice too|{a} first of all, {b} is less important|most important: {a}. optional: {b}|most of all {a}. if you like, {b}|in the first place {a}|primarily {a}, secondarily {b}|priority: {a}. then: {b}|{a} is the main thing, {b} can wait|{a} is a must, {b} is optional|{a} matters more than {b}|{a} rather than {b}|{a} instead of {b}|{a}, not {b}|{a} but not {b}|not {b} but {a}|do not {b}, {a}|do not {b}, just {a}|don't {b}, only {a}|don't {b}! {a}!|never mind {b}, {a}|never {b}, {a}|no need to {b}, {a}|no need to {b}, just {a}|there is no need to {b}. {a}|you needn't {b}, but {a}|i don't want you to {b}. {a}|i did not ask to {b}, i asked to {a}|{b}? no. {a}? yes|{b}? no! {a}!|instead of {b}: {a}|rather than {b}, {a}|{b} is optional, {a} is what matters|{b} is optional, {a} is a must|{b} can wait, {a} now|{b} would be nice, but above all {a}|{b} is secondary, mostly {a}|{b} if you can, but most important {a}|before {b}, {a}|{a} before you {b}|{a} > {b}|please {a}, no {b}|just {a}, no {b}"
).split("|")

TROUBLES = (
    "it is {b}, but the real problem is that it is {a}|the main problem is that it is {a}, that it is {b} is okay|it is {a}, the fact that it is {b} is fine|it is more {a} than {b}|it is not {b}, it is {a}|it isn't {b}, just {a}|it's not {b} but {a}|not {b}, just {a}|not {b}, only {a}|neither {b} nor {c}, just {a}|it is neither {b} nor {c}; it is {a}|it is not {b} and not {c}, it is {a}|it is not {b}. it is {a}|{a}, not {b}|it is {a} but not {b}|it is {a}. it is not {b}. it is not {c}|i don't mind that it is {b}, i mind that it is {a}|{a} rather than {b}|first of all it is {a}|it's {a} and a bit {b}|it is {a} and slightly {b}|very {a}, a little {b}|{a} and also {b}|"
    "being {b} does not bother me, being {a} does|that it is {a} is worse than that it is {b}|the {b} {noun} is ok like that, only it is {a}"
).split("|")

RULES = {short: {**{k: v.split("|") for k, v in {**COMMON, **WISHES[short], **PATTERNS}.items()}} for short in WISHES}
SLOT = re.compile(r"\{(\w+)\}")


def expand(rng, text, rules):
    return SLOT.sub(lambda match: expand(rng, rng.choice(rules[match.group(1)]), rules), text)


# The same sentences for every task: only their structure tells which of the named things is wanted. {n} noun, {c} comparative, {v} verb, {g} gerund, {b} fault, {t} trouble, each
# of the wanted task (1) or of another (2, 3).
NAMED = {
    "sr": {
        "n": "size|resolution|pixel count|dimensions|pixels|megapixels|dpi|definition|scale|pixel dimensions|number of pixels",
        "c": "bigger|larger|higher-res|more detailed|less pixelated|less tiny|less blocky",
        "v": "upscale it|enlarge it|magnify it|scale it up|make it bigger|make it larger|add pixels|raise the resolution|blow it up|super-resolve it|get it to 4k|increase the size",
        "g": "upscaling|enlarging|magnifying it|scaling it up|enlargement|super-resolution|making it bigger|raising the resolution|upsampling",
        "b": "small|tiny|pixelated|low-res|blocky|little|puny|minuscule|a thumbnail",
        "t": "low resolution|tiny size|pixelation|lack of pixels|small size|missing detail|blockiness|low pixel count",
    },
    "blur": {
        "n": "sharpness|focus|crispness|steadiness|edge sharpness|sharp edges",
        "c": "sharper|crisper|steadier|less blurry|less shaky|less fuzzy|better focused|less smeared",
        "v": "deblur it|sharpen it|refocus it|remove the blur|take out the shake|make it sharp|make it crisp|unblur it|get it in focus|steady it|undo the motion blur|fix the focus",
        "g": "deblurring|sharpening|refocusing|removing the blur|taking out the shake|making it sharp|shake removal|unblurring|stabilising it",
        "b": "blurry|shaky|fuzzy|smeared|unsharp|out of focus|soft|blurred|streaky|wobbly",
        "t": "blur|shake|smear|camera shake|motion blur|softness|misfocus|trails|wobble|ghosting|streaks",
    },
    "dark": {
        "n": "brightness|light|exposure|lighting|illumination|shadow detail|luminance|lumens",
        "c": "brighter|lighter|less dark|less gloomy|better lit|less murky|better exposed",
        "v": "brighten it|lighten it|lift the shadows|raise the exposure|make it brighter|make it lighter|light it up|add light|fix the exposure|turn up the light|bring light into it",
        "g": "brightening|lightening|lifting the shadows|raising the exposure|making it brighter|exposure correction|relighting|adding light|a brightening",
        "b": "dark|dim|gloomy|underexposed|black|murky|too dark|shadowy|pitch dark",
        "t": "darkness|gloom|underexposure|dim light|lack of light|black shadows|missing light|bad lighting|shadow",
    },
}
NAMED = {short: {kind: text.split("|") for kind, text in kinds.items()} for short, kinds in NAMED.items()}

CONTRASTS = (
    "{n1} up, {n2} untouched|{n1} up, {n2} untouched, {n3} untouched|{n2} untouched, {n1} up|leave the {n2} alone, {v1}|{v1}, leave the {n2} alone|{v1}, the {n2} can stay|the {n2} stays. the {n3} stays. only the {n1} changes|{v1}, {n2} and {n3} as they are|"
    "keep the {n2}, {v1}|keep the {t2}, {v1}|keep the {t2} and the {t3}, remove the {t1}|the {t2} stays, the {t1} goes|lose the {t1}, keep the {t2}|{n2} unchanged, {n1} higher|same {n2}, more {n1}|no {g2} necessary, {v1}|{v1}, no {g2} necessary|no {g2}, no {g3}, {g1}|no {g2}, just {g1}|"
    "skip {g2}, do {g1}|{g1} yes, {g2} no|{g2} no, {g1} yes|{g2}? no. {g1}? yes|{n1} over {n2}|{n1} over {n2}, please|{n1} before {n2}|{n1} rather than {n2}|{n1} > {n2}|{c1} rather than {c2}|rather {c1} than {c2}|{c1}, not {c2}|{c1}! not {c2}!|not {c2}, {c1}|not {c2}, not {c3}, {c1}|"
    "i'm not asking for {c2}, i'm asking for {c1}|i'm asking for {c1}, not {c2}|i don't need more {n2}, i need {n1}|i don't want more {n2}. i want the {t1} gone|i need {n1}, not {n2}|i want it {c1}, not {c2}|i'd take {c1} over {c2}|i would rather have it {c1} than {c2}|enough {n2}. not enough {n1}|"
    "plenty of {n2}, too little {n1}|{n2} is good, {n1} is terrible|{n2}: good. {n3}: good. {n1}: bad|{n1} bad, {n2} fine|good {n2}, poor {n1}|great {n2}, lousy {n1}|the {n1} is trash|{n1} is terrible|the {n1} is awful|{n1} is rubbish|bad {n1}|the {n1} is a joke|poor {n1}|disappointing {n1}|what awful {n1}|improve the {n1}|work on the {n1}|"
    "it's {b1}, not {b2}|it's not {b2}, it's {b1}|not {b2}, simply {b1}|not {b2}, not {b3}, simply {b1}|neither {b2} nor {b3}, but {b1}|it is {b1} rather than {b2}|this isn't {b2}, this is {b1}|i don't care if it's {b2}, it must not be {b1}|i don't care if it's {b2}, {v1}|{b2} is okay, {b1} is not|i don't mind {b2}, i mind {b1}|"
    "fine that it's {b2}, not that it's {b1}|may be {b2}, mustn't be {b1}|{b2} on purpose, {b1} by accident|the {t2} is intended, the {t1} isn't|{t2} is fine, {t1} is not|never mind the {t2}, the {t1} is awful|forget the {t2}, {v1}|ignore the {t2}, {v1}|the {t1} bothers me, the {t2} doesn't|the {t2} doesn't bother me, the {t1} does|"
    "not the {t2}, the {t1}|not the {t2}. not the {t3}. the {t1}|the {t2} is not the problem, the {t1} is|it's the {t1} that bothers me, not the {t2}|less {t1}, whatever the {t2}|{v1} and don't {v2}|don't {v2}, {v1}|don't {v2}. don't {v3}. {v1}|please don't {v2}, just {v1}|{v1} but please don't {v2}|do not {v2} or {v3}, only {v1}|you needn't {v2}, but do {v1}|"
    "{g1} first; you may {v2} afterwards|{v1} first, then {v2}|first {v1}, then {v2}|{v1}, later {v2}|{v1} before you {v2}|before you {v2}, {v1}|after you {v1}, {v2}|{g1} now, {g2} later|{g2} later, {g1} now|{g2} can wait, {v1}|{g2} is optional, {g1} is a must|{g1} above all, {g2} second|{n1} above all, {n2} second|a bit {c2} might be nice but the thing i'm really after is {n1}|"
    "{c2} would be nice, but first {v1}|could be {c2} too, but mainly {v1}|a bit {b2} too, never mind, {v1}|a bit {b2}, but above all {b1}|{b1}, and a bit {b2}|very {b1}, slightly {b2}|{b2} for its taste, but its {t1} is ridiculous|pretty {c2} already, but {b1}|it's already {c2}, now make it {c1}|{c2} already, {c1} wanted|a small {b2} thing, no problem, but {v1}|"
    "{v1}, it shows a {b2} cat|a {b2} cat. {v1}|photo of a {b2} alley, {v1}|{v1}: a {b2} street|{v1}, the {b2} look is wanted|the {b2} look is wanted, {v1}|i can {v2} myself, please {v1}|someone else will {v2}, you {v1}|you {v2} last time, now {v1}|already did {g2}, now {g1}|{g2} didn't help, it's the {t1}|only {g1}|just the {n1}|{n1} only|all about {n1}|{n1} please|more {n1}|{c1} please|{v1}"
).split("|")


def contrast(rng, task):
    """One request for `task` that names another task in most cases."""
    short = SHORT[task]
    others = [name for name in NAMED if name != short]
    rng.shuffle(others)
    who = dict(zip("123", [short, *others]))
    return re.sub(r"\{(\w)(\d)\}", lambda match: rng.choice(NAMED[who[match.group(2)]][match.group(1)]), rng.choice(CONTRASTS))


def say(rng, rule, short):
    return expand(rng, "{" + rule + "}", RULES[short])


def two(rng, template, parts):
    return SLOT.sub(lambda match: parts[match.group(1)], template)


def request(rng, task):
    """One request for `task`, without a scene."""
    short = SHORT[task]
    others = [s for s in RULES if s != short]
    rng.shuffle(others)
    kind = rng.random()
    main = say(rng, "wish", short)
    complaint = say(rng, "complaint", short)
    if kind < 0.22:
        text = main
    elif kind < 0.4:
        text = complaint
    elif kind < 0.5:
        parts = [main, complaint]
        rng.shuffle(parts)
        text = say(rng, "join", short).join(parts)
    elif kind < 0.66:  # something else is declined
        parts = [rng.choice((main, complaint))] + [say(rng, "fine", other) for other in others[: rng.choice((1, 1, 2))]]
        if rng.random() < 0.4:
            parts = parts[1:] + parts[:1]
        text = rng.choice((", ", ". ", ", but ", " and ", "; ", " - ", " ", ", only ", ", just ", ". However, ", " although ", " but ")).join(parts)
    elif kind < 0.84:  # two wishes
        first = rng.choice((main, main, say(rng, "act", short) + " it", say(rng, "want", short), say(rng, "act", short), "make it " + say(rng, "state", short)))
        other = others[0]
        second = rng.choice((say(rng, "wish", other), say(rng, "act", other) + " it", say(rng, "want", other), say(rng, "act", other), "make it " + say(rng, "state", other), say(rng, "label", other)))
        text = two(rng, rng.choice(STRESS), {"a": first, "b": second})
    elif kind < 0.93:
        text = two(rng, rng.choice(TROUBLES), {"a": say(rng, "bad", short), "b": say(rng, "bad", others[0]), "c": say(rng, "bad", others[1]), "noun": say(rng, "noun", short)})
    else:
        text = main + say(rng, "join", short) + say(rng, "wish", short)
    if rng.random() < 0.3:
        text = say(rng, "open", short) + " " + text
    if rng.random() < 0.25:
        text += rng.choice((" ", ", ", ". ")) + say(rng, "close", short)
    return text


HABITS = (("please", "pls"), ("you", "u"), ("are", "r"), ("because", "cuz"), ("picture", "pic"), ("photo", "foto"), ("the", "teh"), ("is not", "isnt"), ("it is", "its"), ("too", "to"), ("brighten", "briten"), ("bright", "brite"), ("light", "lite"), ("bigger", "biger"), ("resolution", "rez"), ("sharpen", "sharpn"), ("with", "w/"), ("and", "n"), ("don't", "dont"), ("what", "wat"), ("my", "me"))


def spoil(rng, text):
    """Typing errors, habits of chats, capitals, missing or many punctuation marks."""
    if rng.random() < 0.12:
        for _ in range(rng.choice((1, 1, 2, 3))):
            word, short = rng.choice(HABITS)
            text = re.sub(rf"\b{re.escape(word)}\b", short, text)
    for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2))):
        text = misspell(rng, text)
    if rng.random() < 0.05:  # articles are left out
        text = re.sub(r"\b(the|a|an|this|is) ", "", text)
    if rng.random() < 0.04:
        text = text.replace(" ", "", 1)
    if rng.random() < 0.5:
        text = text[:1].upper() + text[1:]
    if rng.random() < 0.05:
        text = text.upper()
    return text + rng.choice(("", "", "", ".", ".", "!", "!!", "?", "...", " :)", "!!!"))


# What scenes are made of. They mention light, size and movement on purpose: a description must not decide the task.
SCENES = {
    "adj": "small|tiny|large|huge|dark|bright|black|white|red|green|blue|yellow|grey|brown|pale|dim|gloomy|sunlit|shadowy|moonlit|blurred|soft|sharp|crisp|fuzzy|smooth|rough|old|young|wet|dry|golden|misty|foggy|hazy|snowy|sandy|rusty|wooden|stone|glass|shiny|dusty|quiet|crowded|empty|narrow|wide|distant|nearby|striped|spotted|colourful|plain|running|moving|flying|racing|still|resting|low|high|deep|shallow|night-time|evening|out-of-focus|motion-blurred|pixel-art|big|little|dense|light|heavy|cloudy|clear",
    "thing": "dog|cat|bird|horse|cow|owl|bear|tiger|butterfly|fish|boat|ship|car|bus|train|bicycle|motorcycle|plane|bridge|tower|church|castle|house|cottage|barn|street|alley|square|market|shop|window|door|roof|wall|stair|garden|park|forest|tree|leaf|flower|mushroom|mountain|hill|valley|river|lake|sea|beach|rock|desert|field|road|path|sky|cloud|moon|sun|sunset|star|lamp|candle|lantern|fire|neon sign|room|kitchen|table|chair|bed|shelf|book|bottle|cup|plate|cake|fruit|bread|man|woman|child|girl|boy|couple|crowd|runner|dancer|singer|player|worker|soldier|monk|face|hand|eye|hat|dress|shoe|guitar|piano|ball|kite|flag|statue|painting|poster|toy|computer|screen|keyboard|pavement|puddle|fence|wheel|corridor|gym|stage|pool|cabinet|wardrobe|curtain",
    "prep": "in|on|under|beside|behind|in front of|above|near|against|between|across|along|over|next to|at the edge of|reflected in|surrounded by|lit by|half hidden by|seen through|far from|at the end of|inside",
    "verb": "stands|sits|lies|runs|jumps|flies|sleeps|waits|moves|races|rests|shines|glows|hangs|floats|looks into the camera|leans|walks|plays|glimmers|fades into the shadows|disappears in the dark|rises|blurs past|catches the light",
    "when": "at night|at dusk|at dawn|at noon|at sunset|in the evening|in the morning|in winter|in autumn|in the rain|in the fog|under a cloudy sky|under a clear blue sky|in bright sunlight|in deep shade|in low light|by lamplight|by candlelight|under street lamps|under neon lights|indoors|outdoors|with a blurred background|with soft shadows|in a dark room|seen from above|seen from far away|in close-up|with little contrast|in black and white|in motion||||",
    "np": "a {adj} {thing}|two {adj} {thing}s|the {adj} {thing}|a {thing}|several {thing}s|some {adj} {thing}s|an {adj} and {adj} {thing}|a {adj}, {adj} {thing}|a {thing} with a {adj} {thing}",
    "scene": "{np} {verb} {prep} {np} {when}|{np} {prep} {np} {when}|{np} {when}|{np}, {np} and {np} {when}|{np} {prep} {np}, with {np} {prep} {np} {when}|{np} {verb} {when}|{adj} {thing}s {prep} {np} {when}|{np} of {adj} {thing}s {prep} {np}|a view of {np} {prep} {np} {when}|a photo of {np} {prep} {np}|{np} and {np}",
}
SCENES = {k: v.split("|") for k, v in SCENES.items()}

DESCRIBED = {
    "tone": "a very dark|a dark|a dim|a mid-toned|a bright|a very bright|an evenly lit|a high-contrast|a low-contrast|a flat",
    "hue": "grey|red|orange|yellow|green|cyan|blue|purple|pink|brown|neutral|muted|colourful|warm|cool",
    "texture": "smooth areas|fine texture|strong edges|few edges|coarse texture|soft transitions|many small details|little detail",
    "fault": "the detail is coarse for its size|edges are smeared along one direction|edges are soft in all directions|fine detail is missing|most pixels are near black|there is noise in the dark parts|it is small|there is little contrast",
    "scene": "{tone} picture with {hue} and {hue} colours, {texture} and {texture}; {fault}|{tone} {hue} picture with {texture}|{tone} picture, mostly {hue}, with {texture}; {fault}, {fault}",
}
DESCRIBED = {k: v.split("|") for k, v in DESCRIBED.items()}


def scene(rng, described=()):
    """A description of a picture: of a list (captions), made up, or in the manner of the built-in describer."""
    kind = rng.random()
    if described and kind < 0.45:
        return rng.choice(described)
    text = expand(rng, "{scene}", DESCRIBED if kind > 0.9 else SCENES).strip()
    return text[:1].upper() + text[1:] + rng.choice((".", ".", ""))


NEUTRAL = "|hello|hi|a photo|nice picture|image|please|test|thanks|my picture|what is this|who is that|do your best|go|make it better|improve this|enhance|fix it|restore this picture|restore|step by step|i love this photo|asdf|123|ok|???|help|make it nice|i don't like it|do something|the usual|surprise me".split("|")


def sample(rng, described=()):
    """(text, task index or -1, kind, meaning): kind is "uniform", "scene" (uniform sentence and a description), "free", "free+scene" or "neutral"; meaning says the same in
    the standard wording: the task's uniform sentence, with the description if there is one."""
    k = rng.randrange(3)
    task = TASKS[k]
    kind = rng.random()
    if kind < 0.03:
        text = rng.choice(NEUTRAL)
        return text, -1, "neutral", text
    if kind < 0.06:
        text = scene(rng, described)
        return text, -1, "neutral", text
    if kind < 0.07:
        text = UNIFORM[task]
        return rng.choice((text, text.replace(" step by step", ""), text.lower(), misspell(rng, text))), k, "uniform", text
    if kind < 0.25:
        text = f"{UNIFORM[task]} {scene(rng, described)}"
        return text, k, "scene", text
    text = spoil(rng, request(rng, task)) if rng.random() < 0.75 else free(rng, task)
    if rng.random() < 0.18:
        words = scene(rng, described)
        return (f"{text} {words}" if rng.random() < 0.6 else f"{words} {text}"), k, "free+scene", f"{UNIFORM[task]} {words}"
    return text, k, "free", UNIFORM[task]


if __name__ == "__main__":
    generator = random.Random(0)
    for _ in range(40):
        text, k, kind, _ = sample(generator)
        print(f"{TASKS[k] if k >= 0 else '-':17}{kind:11}{text!r}")
