/** What is said for a unit behind a number: of one, and of more. */
type Unit = readonly [one: string, more: string];

/** Units of measure; several where letters stand for several. */
export const units: Readonly<Record<string, readonly Unit[]>> = {
  km: [['kilometer', 'kilometers']],
  cm: [['centimeter', 'centimeters']],
  mm: [['millimeter', 'millimeters']],
  m: [
    ['meter', 'meters'],
    ['million', 'million'],
    ['minute', 'minutes'],
  ],
  mi: [['mile', 'miles']],
  ft: [['foot', 'feet']],
  kg: [
    ['kilogram', 'kilograms'],
    ['kilo', 'kilos'],
  ],
  g: [
    ['gram', 'grams'],
    ['g', 'g'],
  ],
  mg: [['milligram', 'milligrams']],
  lb: [['pound', 'pounds']],
  lbs: [['pound', 'pounds']],
  oz: [['ounce', 'ounces']],
  ml: [['milliliter', 'milliliters']],
  mph: [['mile per hour', 'miles per hour']],
  'km/h': [
    ['kilometer per hour', 'kilometers per hour'],
    ['kilometer an hour', 'kilometers an hour'],
  ],
  'm/s': [['meter per second', 'meters per second']],
  kb: [['kilobyte', 'kilobytes']],
  mb: [['megabyte', 'megabytes']],
  gb: [['gigabyte', 'gigabytes']],
  tb: [['terabyte', 'terabytes']],
  hz: [['hertz', 'hertz']],
  khz: [['kilohertz', 'kilohertz']],
  mhz: [['megahertz', 'megahertz']],
  ghz: [['gigahertz', 'gigahertz']],
  ms: [['millisecond', 'milliseconds']],
  sec: [['second', 'seconds']],
  min: [['minute', 'minutes']],
  hr: [['hour', 'hours']],
  hrs: [['hour', 'hours']],
  h: [['hour', 'hours']],
  kw: [['kilowatt', 'kilowatts']],
  '%': [['percent', 'percent']],
  '°': [['degree', 'degrees']],
  '°c': [
    ['degree celsius', 'degrees celsius'],
    ['degree centigrade', 'degrees centigrade'],
    ['degree c', 'degrees c'],
  ],
  '°f': [
    ['degree fahrenheit', 'degrees fahrenheit'],
    ['degree f', 'degrees f'],
  ],
  '¢': [['cent', 'cents']],
};

/** What is said for the sign of a currency: of one, of more, and its hundredth. */
export const currencies: Readonly<Record<string, { unit: Unit; hundredth?: Unit }>> = {
  $: { unit: ['dollar', 'dollars'], hundredth: ['cent', 'cents'] },
  '€': { unit: ['euro', 'euros'], hundredth: ['cent', 'cents'] },
  '£': { unit: ['pound', 'pounds'], hundredth: ['penny', 'pence'] },
  '¥': { unit: ['yen', 'yen'] },
};

/** Words and letters that make an amount a thousand times larger, and more. */
export const scales: Readonly<Record<string, readonly string[]>> = {
  k: ['k', 'thousand'],
  m: ['million'],
  mn: ['million'],
  b: ['billion'],
  bn: ['billion'],
  t: ['trillion'],
  hundred: ['hundred'],
  thousand: ['thousand'],
  million: ['million'],
  billion: ['billion'],
  trillion: ['trillion'],
};

/** What is said for a sign between words or numbers. */
export const signs: Readonly<Record<string, readonly string[]>> = {
  '&': ['and'],
  '%': ['percent'],
  '+': ['plus', 'and'],
  '−': ['minus', 'negative'],
  '=': ['equals', 'is', 'is equal to'],
  '×': ['times', 'by'],
  '÷': ['divided by', 'over'],
  '±': ['plus or minus', 'plus minus'],
  '@': ['at'],
  '§': ['section'],
};

/** Fractions that are one character: top and bottom. */
export const vulgarFractions: Readonly<Record<string, readonly [number, number]>> = {
  '½': [1, 2],
  '⅓': [1, 3],
  '⅔': [2, 3],
  '¼': [1, 4],
  '¾': [3, 4],
  '⅕': [1, 5],
  '⅖': [2, 5],
  '⅗': [3, 5],
  '⅘': [4, 5],
  '⅙': [1, 6],
  '⅚': [5, 6],
  '⅐': [1, 7],
  '⅛': [1, 8],
  '⅜': [3, 8],
  '⅝': [5, 8],
  '⅞': [7, 8],
  '⅑': [1, 9],
  '⅒': [1, 10],
};
