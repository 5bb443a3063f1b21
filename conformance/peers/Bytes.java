import ca.uhn.hl7v2.llp.LowerLayerProtocol;
import ca.uhn.hl7v2.llp.MinLowerLayerProtocol;
import java.math.BigInteger;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** What HAPI has read as text, as the bytes that it was on the wire. */
class Bytes {
    /** HAPI's MLLP, which reads and writes as MSH-18 says; without one each byte is a character. */
    static LowerLayerProtocol protocol() {
        LowerLayerProtocol mllp = new MinLowerLayerProtocol(true);
        mllp.setCharset(StandardCharsets.ISO_8859_1);
        return mllp;
    }

    static byte[] of(String message) {
        String[] header = message.split("\r", 2)[0].split("\\|", -1);
        return message.getBytes(charset(header.length > 17 ? header[17] : ""));
    }

    static String text(byte[] message) {
        String header = new String(message, StandardCharsets.ISO_8859_1).split("\r", 2)[0];
        String[] fields = header.split("\\|", -1);
        return new String(message, charset(fields.length > 17 ? fields[17] : ""));
    }

    static String sum(String message) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(of(message));
            return String.format("%064x", new BigInteger(1, sum));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** Table 0211, as far as our messages use it. */
    static Charset charset(String name) {
        switch (name) {
            case "UNICODE UTF-8": return StandardCharsets.UTF_8;
            case "GB 18030-2000": return Charset.forName("GB18030");
            case "BIG-5": return Charset.forName("Big5");
            default: return StandardCharsets.ISO_8859_1;
        }
    }
}
