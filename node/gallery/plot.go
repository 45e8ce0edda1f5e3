package gallery

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/atelier-dao/atelier/curation/curve"
)

// The plot's drawing area, in the units of its view box.
const (
	plotLeft, plotTop     = 84.0, 20.0
	plotRight, plotBottom = 600.0, 280.0
	plotPoints            = 81 // odd, so that the middle one is today
)

// plot is a price curve as paths of an SVG: supply to the right, from none to twice
// today's, price upwards.
type plot struct {
	OK     bool   // false when the curve cannot be drawn
	Line   string // path of the curve
	Area   string // path below the curve up to today: its area is the reserve
	X, Y   string // today
	Top    curve.Amount
	Supply curve.Amount // today
	Far    curve.Amount // supply at the right edge
	Price  curve.Amount // today
	LabelY string       // height of the price's label
}

// plotOf draws the exact prices of the curve. Floating point is for the eye only.
func plotOf(s curve.State) plot {
	points, err := curve.Points(s, plotPoints)
	if err != nil {
		return plot{}
	}
	last, now := points[len(points)-1], points[len(points)/2]
	top, far := approximate(last.Price), approximate(last.Supply)
	if top <= 0 || far <= 0 {
		return plot{}
	}
	x := func(a curve.Amount) float64 { return plotLeft + approximate(a)/far*(plotRight-plotLeft) }
	y := func(a curve.Amount) float64 {
		return plotBottom - min(1, approximate(a)/top)*(plotBottom-plotTop)
	}
	var line, area strings.Builder
	for i, p := range points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		line.WriteString(command + coordinate(x(p.Supply)) + " " + coordinate(y(p.Price)))
		if i <= len(points)/2 {
			area.WriteString(command + coordinate(x(p.Supply)) + " " + coordinate(y(p.Price)))
		}
	}
	area.WriteString("L" + coordinate(x(now.Supply)) + " " + coordinate(plotBottom) + "L" + coordinate(plotLeft) + " " + coordinate(plotBottom) + "Z")
	return plot{OK: true, Line: line.String(), Area: area.String(), X: coordinate(x(now.Supply)), Y: coordinate(y(now.Price)),
		Top: last.Price, Supply: now.Supply, Far: last.Supply, Price: now.Price, LabelY: coordinate(y(now.Price) - 14)}
}

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func approximate(a curve.Amount) float64 {
	f, _ := new(big.Float).SetInt(a.Big()).Float64()
	return f
}
