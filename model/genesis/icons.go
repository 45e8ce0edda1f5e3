package main

import (
	"fmt"
	"image"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/srwiley/oksvg"
	"github.com/srwiley/rasterx"
)

// An icon is one drawing of the set: its name with words separated by spaces,
// its category, and its SVG document.
type icon struct {
	name     string
	category string
	svg      string
}

// readIcons reads icons.json and metadata.json of an Iconify package folder
// and returns the chosen icons in the order of their names.
func readIcons(dir string) ([]icon, error) {
	var set struct {
		Icons map[string]struct {
			Body   string  `json:"body"`
			Width  float64 `json:"width"`
			Height float64 `json:"height"`
		} `json:"icons"`
		Width  float64 `json:"width"`
		Height float64 `json:"height"`
	}
	var meta struct {
		Categories map[string][]string `json:"categories"`
	}
	if err := readJSON(filepath.Join(dir, "icons.json"), &set); err != nil {
		return nil, err
	}
	if err := readJSON(filepath.Join(dir, "metadata.json"), &meta); err != nil {
		return nil, err
	}
	var chosen []icon
	for category, names := range meta.Categories {
		for _, name := range names {
			body, ok := set.Icons[name]
			if !ok || !wanted(category, name) {
				continue
			}
			w, h := body.Width, body.Height
			if w == 0 {
				w = set.Width
			}
			if h == 0 {
				h = set.Height
			}
			chosen = append(chosen, icon{
				name:     allNames(name),
				category: category,
				svg:      fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g">%s</svg>`, w, h, body.Body),
			})
		}
	}
	sort.Slice(chosen, func(i, j int) bool { return chosen[i].name < chosen[j].name })
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no wanted icon in %s", dir)
	}
	return chosen, nil
}

// allNames are all names of an icon, separated by commas.
func allNames(icon string) string {
	all := strings.ReplaceAll(icon, "-", " ")
	if more := alsoCalled[icon]; more != "" {
		all += ", " + more
	}
	return all
}

// The choice: things that read as cut paper. Left out are people, faces,
// letters, signs, clocks, buildings with many windows, and office goods.
var (
	dropped = map[string]*regexp.Regexp{
		"Animals & Nature": regexp.MustCompile(`^(guide-dog|service-dog|microbe|mosquito|fly|cockroach|pig-nose|ant|cricket|rosette|wing|worm|paw-prints|` +
			`two-hump-camel|white-flower|front-facing-baby-chick|hatching-chick|empty-nest|water-buffalo|ox|ewe|dodo|skunk|sloth|leafy-green|poodle|orangutan|chipmunk|beetle|bug|service.*)$`),
		"Food & Drink": regexp.MustCompile(`^(bacon|bento-box|canned-food|chopsticks|kitchen-knife|fork-.*|spoon|pretzel|salt|baby-bottle|` +
			`spaghetti|sushi|takeout-box|tamale|mate|beverage-box|cooking|oden|ice|jar|beans|bagel|burrito|bubble-tea|butter|clinking.*|cooked-rice|cup-with-straw|curry-rice|dango|dumpling|fish-cake.*|` +
			`flatbread|fondue|french-fries|fried-shrimp|glass-of-milk|hamburger|hot-dog|peanuts|popcorn|pot-of-food|pouring-liquid|rice-.*|roasted.*|` +
			`sandwich|shallow.*|shortcake|stuffed.*|taco|tumbler-glass|waffle|ginger-root|bowl-with-spoon|steaming-bowl|bread|pizza|burger|custard|sake|cut-of-meat|poultry-leg|meat-on-bone|bottle-with.*|falafel|shaved-ice|sheaf-of-rice|fortune-cookie|green-salad|teacup-without-handle|potato|onion|garlic|egg|chestnut|cheese-wedge|chocolate-bar|honey-pot|pie|olive|oyster|shrimp|moon-cake|baguette-bread|pancakes|lollipop|candy|beer-mug)$`),
	}
	kept = map[string]*regexp.Regexp{
		"Smileys & Emotion": regexp.MustCompile(`^(red|broken|blue|beating|sparkling|growing)-heart$|^heart-on-fire$|^(two-hearts|revolving-hearts|ghost|dizzy|alien|robot|collision|smiling-face)$`),
		"Symbols": regexp.MustCompile(`^red-(circle|square|triangle-pointed-up)$|^red-triangle$|` +
			`^large-blue-diamond$|^(yin-yang|eight-pointed-star)$`),
		"Activities": regexp.MustCompile(`^(balloon|carp-streamer|christmas-tree|crystal-ball|fireworks|` +
			`spade-suit|jack-o-lantern|kite|mirror-ball|pine-decoration|artist-palette|` +
			`sparkles|sparkler|teddy-bear|trophy|wind-chime|wrapped-gift|yarn|basketball)$`),
		"Travel & Places": regexp.MustCompile(`moon|sun|star$|mountain|^(anchor|beach-with-umbrella|bridge-at-night|camping|canoe|castle|church|circus-tent|cloud.*|comet|` +
			`cyclone|desert|desert-island|droplet|fire|fountain|high-voltage|house|house-with-garden|hut|japanese-castle|lighthouse|milky-way|` +
			`mount-fuji|national-park|night-with-stars|parachute|rainbow|ringed-planet|rock|rocket|sailboat|shinto-shrine|snowflake|snowman.*|` +
			`tent|tornado|umbrella.*|volcano|water-wave|wood|hot-springs|flying-saucer|locomotive|airplane|bicycle|globe-showing-americas)$`),
		"Objects": regexp.MustCompile(`^(accordion|ballet-shoes|banjo|basket|bell|green-book|open-book|candle|crown|` +
			`diya-lamp|door|dress|drum|feather|folding-hand-fan|gem-stone|guitar|key|old-key|kimono|light-bulb|maracas|mirror|moai|` +
			`musical-note|musical-notes|paintbrush|red-paper-lantern|saxophone|scarf|scissors|shield|telescope|trumpet|violin|window|bubbles)$`),
		"People & Body": regexp.MustCompile(`^(eye|anatomical-heart)$`),
	}
	skipped = regexp.MustCompile(`^(sun-behind-(small|large)-cloud|wax.*|waning-gibbous-moon|snowman-without-snow|umbrella-on-ground|umbrella-with-rain-drops|sun-behind-rain-cloud|cloud-with-lightning-and-rain)$|-face$|button|exclamation|suspension|oncoming|cableway|railway|japanese-post`)
)

func wanted(category, name string) bool {
	if re, ok := dropped[category]; ok {
		return !re.MatchString(name)
	}
	re, ok := kept[category]
	return ok && re.MatchString(name) && (!skipped.MatchString(name) || name == "smiling-face")
}

// rasterise draws the icon with transparent ground into a square of size
// pixels. The view is the square of the icon's 32-unit box with the given
// centre and half side: half 16 shows all of it, half 8 the middle quarter.
func rasterise(i icon, size int, cx, cy, half float64) (*image.RGBA, error) {
	drawing, err := oksvg.ReadIconStream(strings.NewReader(i.svg), oksvg.IgnoreErrorMode)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.name, err)
	}
	scale := float64(size) / (2 * half)
	drawing.SetTarget((half-cx)*scale, (half-cy)*scale, drawing.ViewBox.W*scale, drawing.ViewBox.H*scale)
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	scanner := rasterx.NewScannerGV(size, size, picture, picture.Bounds())
	drawing.Draw(rasterx.NewDasher(size, size, scanner), 1)
	return picture, nil
}
