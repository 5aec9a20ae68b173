// What a picture's message says before its arrays, field by field: the twin of seqviz/scope/headers.py, which a test
// holds to the same names and types. Only types: the scripts import them in comments, and tsc reads those.

/**
 * A cell as `Cell.description` gives it; a node is op, args, name, bias, value, width.
 *
 * @typedef {object} CellDescription
 * @property {string} name
 * @property {string} label
 * @property {string} text
 * @property {string[]} told
 * @property {string[]} gates
 * @property {Record<string, any[]>} keep
 * @property {Record<string, string[]>} labels
 * @property {string[]} states
 * @property {Record<string, number>} start
 * @property {Record<string, number>} sizes
 * @property {string[]} signals
 * @property {Record<string, number>} where
 * @property {Record<string, string[]>} packing
 * @property {any[][]} nodes
 */

/**
 * One theme's colours and fonts; scales as Plotly takes them, by signal where signals have their own.
 *
 * @typedef {object} Palette
 * @property {string} paper
 * @property {string} well
 * @property {string} ink
 * @property {string} quiet
 * @property {string} rule
 * @property {string} changed
 * @property {string} font
 * @property {string} mono
 * @property {Record<string, string>} hues
 * @property {Record<string, any[]>} sequential
 * @property {any[]} diverging
 * @property {any[]} magnitude
 * @property {string[]} lines
 * @property {string[]} dashes
 */

/**
 * Where an array lies behind the header, and how it is written: `f4`, or `u2` from `low` to `high`.
 *
 * @typedef {object} ArrayEntry
 * @property {string} name
 * @property {number[]} shape
 * @property {"f4" | "u2"} type
 * @property {number} offset
 * @property {number} [low]
 * @property {number} [high]
 */

/**
 * What every message has beside its own.
 *
 * @typedef {object} Packed
 * @property {string} language
 * @property {Record<string, Palette>} palettes
 * @property {ArrayEntry[]} arrays
 */

/**
 * What an address says of its page, and all the names that it may use for that.
 *
 * @typedef {object} Addressed
 * @property {string} address
 * @property {string[]} fields
 */

/**
 * What stands after the arrays: the line between this tab and its session.
 *
 * @typedef {object} Tail
 * @property {string} key
 * @property {string} session
 * @property {string | null} load
 * @property {Record<string, number>} heard
 * @property {string[]} keep
 * @property {string[]} wants
 * @property {Addressed | null} place
 * @property {string} folder
 * @property {string} plotly
 */

/**
 * No picture: the component that runs the whole page.
 *
 * @typedef {object} TabHeader
 * @property {"tab"} panel
 */

/**
 * A part of a small picture: bars or a line of one list of values, or a heatmap of several, from `low` to `high`.
 * `top` and `height` are shares of the picture; `line` is a place among the palette's lines.
 *
 * @typedef {object} Layer
 * @property {"bars" | "line" | "heat"} kind
 * @property {number[][]} values
 * @property {number} low
 * @property {number} high
 * @property {number} top
 * @property {number} height
 * @property {number} [line]
 */

/**
 * An example: its key, what it is called and claims, and a small picture of its numbers.
 *
 * @typedef {object} Thumbnail
 * @property {string} name
 * @property {string} title
 * @property {string} line
 * @property {Layer[]} layers
 */

/**
 * Examples to choose from; `lit` is on the screen.
 *
 * @typedef {object} GalleryHeader
 * @property {"gallery"} panel
 * @property {string} id
 * @property {string} heading
 * @property {boolean} strip
 * @property {Thumbnail[]} entries
 * @property {string | null} lit
 */

/**
 * One thing to try: the button, and the inputs it sets.
 *
 * @typedef {object} Try
 * @property {string} says
 * @property {number[][]} edits
 */

/**
 * An intervention; `steps` as `(first, stop)`, either of them null where it is open.
 *
 * @typedef {object} Rule
 * @property {string} signal
 * @property {"clamp" | "scale" | "ablate"} kind
 * @property {number} value
 * @property {number[] | null} units
 * @property {any[] | null} steps
 * @property {string} says
 */

/**
 * Units of a row that something is said about, all of them where `units` is null, and its mark there.
 *
 * @typedef {object} LitRow
 * @property {string} signal
 * @property {number[] | null} units
 * @property {string} mark
 * @property {string} says
 */

/**
 * The network, where the browser runs it itself; its weights are the arrays `model.NAME`.
 *
 * @typedef {object} ModelHeader
 * @property {CellDescription} cell
 * @property {number} hidden
 * @property {number} layers
 * @property {number} inputs
 * @property {number} outputs
 * @property {Record<string, number>} columns
 */

/**
 * One signal: a line has a `floor`, a gate what `closed` and `open` mean, a one-hot input its `names`.
 *
 * @typedef {object} ScopeRow
 * @property {string} signal
 * @property {string} name
 * @property {string} symbol
 * @property {"line" | "onehot" | "gate" | "state"} kind
 * @property {number} width
 * @property {string} says
 * @property {string} [note]
 * @property {number[]} [floor]
 * @property {string} [closed]
 * @property {string} [open]
 * @property {string[]} [names]
 * @property {number} [reach]
 * @property {boolean} [target]
 */

/**
 * A run, signal by signal: the gates page, and (`plain`) the probe of the training page.
 *
 * @typedef {object} ScopeHeader
 * @property {"scope"} panel
 * @property {string} link
 * @property {string} id
 * @property {string} title
 * @property {string} cell
 * @property {CellDescription} description
 * @property {number} layer
 * @property {number} layers
 * @property {number} steps
 * @property {number} hidden
 * @property {number} inputs
 * @property {string[] | null} labels
 * @property {ScopeRow[]} rows
 * @property {boolean} editable
 * @property {string} status
 * @property {string} address
 * @property {string[]} fields
 * @property {string} [headline]
 * @property {string} [story]
 * @property {Try | null} [tries]
 * @property {boolean} [opening]
 * @property {boolean} [plain]
 * @property {string[] | null} [marks]
 * @property {string[] | null} [names]
 * @property {Rule[]} [rules]
 * @property {LitRow[]} [lit]
 * @property {number[][]} [edited]
 * @property {number[] | null} [at]
 * @property {boolean} [undo]
 * @property {boolean} [redo]
 * @property {boolean} [reset]
 * @property {boolean} [baseline]
 * @property {ModelHeader | null} [model]
 */

/**
 * One layer, for the diagram of a step and a unit.
 *
 * @typedef {object} CellHeader
 * @property {"cell"} panel
 * @property {string} link
 * @property {string} id
 * @property {string} cell
 * @property {CellDescription} description
 * @property {string} name
 * @property {number} steps
 * @property {number} hidden
 * @property {number} inputs
 * @property {string[] | null} labels
 * @property {string[] | null} [marks]
 * @property {string[] | null} names
 * @property {Rule[]} rules
 * @property {number} layer
 * @property {string} status
 * @property {string} address
 * @property {string[]} fields
 * @property {string} [headline]
 * @property {string} [story]
 * @property {boolean} [opening]
 * @property {number[] | null} at
 * @property {boolean} undo
 * @property {boolean} redo
 */

/**
 * An array by what it is called, and its place among the palette's lines; those of one `group` are of one kind.
 *
 * @typedef {object} NamedLine
 * @property {string} name
 * @property {string} label
 * @property {number} line
 * @property {string} [group]
 */

/**
 * A line of the row of norms; without a `line` it is grey, without a `label` it is not in the legend.
 *
 * @typedef {object} Curve
 * @property {string} name
 * @property {string} label
 * @property {number | null} line
 * @property {number} [width]
 * @property {string} [dash]
 */

/**
 * A row of several networks; which of the last fields it has is its kind's.
 *
 * @typedef {object} FlowRow
 * @property {string} signal
 * @property {"norm" | "lines" | "states" | "units" | "share" | "moved" | "rests"} kind
 * @property {string} symbol
 * @property {string} name
 * @property {number} width
 * @property {string} hue
 * @property {string} says
 * @property {NamedLine[]} [arrays]
 * @property {number[]} [range]
 * @property {string} [shape]
 * @property {string} [array]
 * @property {number} [reach]
 * @property {number} [ceiling]
 */

/**
 * Whose eigenvalues and singular values the arrays `eig` and `sing` are.
 *
 * @typedef {object} SpectrumHeader
 * @property {string} name
 * @property {number} line
 * @property {number} hidden
 * @property {number} singular
 * @property {number} reach
 * @property {number} floor
 * @property {string} says
 */

/**
 * The network that is drawn cell by cell.
 *
 * @typedef {object} UnrolledHeader
 * @property {string} name
 * @property {number} width
 */

/**
 * Several networks over time: gradients on their way back, or the four networks of the comparison.
 *
 * @typedef {object} FlowHeader
 * @property {"flow"} panel
 * @property {string} link
 * @property {string} id
 * @property {number} steps
 * @property {string[] | null} [labels]
 * @property {string[] | null} [marks]
 * @property {FlowRow[]} rows
 * @property {Curve[]} curves
 * @property {number[]} range
 * @property {string} status
 * @property {SpectrumHeader | null} spectrum
 * @property {string} address
 * @property {string[]} fields
 * @property {string} [headline]
 * @property {string} [shows]
 * @property {string} [story]
 * @property {boolean} undo
 * @property {boolean} redo
 * @property {string} [axis]
 * @property {number} [begin]
 * @property {number} [nudge]
 * @property {number} [decades]
 * @property {string} [measure]
 * @property {Try | null} [tries]
 * @property {UnrolledHeader} [unrolled]
 */

/**
 * One curve of the training, for every network.
 *
 * @typedef {object} LearningRow
 * @property {string} signal
 * @property {string} symbol
 * @property {string} name
 * @property {boolean} log
 * @property {string} hue
 * @property {string} says
 * @property {number} [solved]
 * @property {number} [chance]
 * @property {number[]} [range]
 * @property {Record<string, Record<string, string>>} [texts]
 */

/**
 * The courses of a training at their checkpoints; `at` is where the scrubber was left. `title` is the task's.
 *
 * @typedef {object} LearningHeader
 * @property {"learning"} panel
 * @property {string} link
 * @property {string} id
 * @property {string} title
 * @property {number} run
 * @property {number | null} at
 * @property {number} count
 * @property {NamedLine[]} nets
 * @property {LearningRow[]} rows
 * @property {string} status
 */

/**
 * Where a lesson's step wants to be looked at; `light` and `cover` name rows or curves.
 *
 * @typedef {object} LessonSpot
 * @property {string} key
 * @property {number | null} step
 * @property {number | null} unit
 * @property {number | null} part
 * @property {string[]} light
 * @property {string[]} cover
 * @property {boolean} play
 */

/**
 * An answer to a guess. Texts are elements: a text, or a list of the tag, an address and what is in it.
 *
 * @typedef {object} LessonChoice
 * @property {any[]} says
 * @property {any[]} reply
 * @property {boolean | null} right
 * @property {boolean} picked
 */

/**
 * A question, and whether it was answered.
 *
 * @typedef {object} LessonGuess
 * @property {any[]} asks
 * @property {LessonChoice[]} choices
 * @property {boolean} answered
 */

/**
 * A number that a task leaves free.
 *
 * @typedef {object} LessonKnob
 * @property {string} name
 * @property {number | null} value
 */

/**
 * Something to do, and what was measured of the setting on the page.
 *
 * @typedef {object} LessonTask
 * @property {any[]} does
 * @property {any[]} hint
 * @property {string} measured
 * @property {string} says
 * @property {boolean} passed
 * @property {LessonKnob[]} knobs
 * @property {boolean} draws
 */

/**
 * A step of a lesson: no picture, but what is said beside one. `steps` are open, done, or have nothing to do.
 *
 * @typedef {object} LessonHeader
 * @property {"lesson"} panel
 * @property {string} id
 * @property {string} opened
 * @property {string} title
 * @property {number} at
 * @property {string[]} steps
 * @property {any[]} says
 * @property {LessonGuess | null} guess
 * @property {LessonTask | null} task
 * @property {string} trains
 * @property {any[]} note
 * @property {boolean} changed
 * @property {boolean} elsewhere
 * @property {LessonSpot} spot
 * @property {string} address
 * @property {string[]} fields
 */

/**
 * One block of the weights, from row `first` of torch's `parameter` on.
 *
 * @typedef {object} WeightsHeader
 * @property {"weights"} panel
 * @property {string} link
 * @property {string} id
 * @property {string} parameter
 * @property {number} first
 * @property {number} rows
 * @property {number} cols
 * @property {boolean} bias
 * @property {string} symbol
 * @property {string[] | null} names
 * @property {string} reads
 * @property {string} gate
 */

/**
 * A curve of the picture that says why, its array by `name`: what is left, in words, and of what.
 *
 * @typedef {object} WhyNet
 * @property {string} name
 * @property {string} label
 * @property {number | null} line
 * @property {string} left
 * @property {string} says
 */

/**
 * What arrives of a gradient beside the product of the forget gates; see the twin in Python.
 *
 * @typedef {object} WhyHeader
 * @property {"why"} panel
 * @property {string} id
 * @property {number} steps
 * @property {number} hidden
 * @property {number | null} bias
 * @property {number[]} range
 * @property {string} road
 * @property {WhyNet[]} nets
 * @property {string} says
 * @property {string} story
 */

/**
 * A setting that a map runs through; see the twin in Python.
 *
 * @typedef {object} MapAxis
 * @property {string} label
 * @property {string} short
 * @property {number} digits
 * @property {number | null} here
 */

/**
 * Maps of vanishing, as far as they are measured; see the twin in Python.
 *
 * @typedef {object} MapHeader
 * @property {"map"} panel
 * @property {string} id
 * @property {string[]} nets
 * @property {MapAxis} x
 * @property {MapAxis} y
 * @property {Record<string, string>} up
 * @property {number} columns
 * @property {number} rows
 * @property {number} reach
 * @property {number[]} levels
 * @property {string} says
 * @property {string} about
 */

export {};
