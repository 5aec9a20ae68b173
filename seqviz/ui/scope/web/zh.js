// What the pictures say, in simplified Chinese. The English sentence is the key.

export default {};
